//! Fuzzing with libFuzzer on the stable toolchain, and longer runs of the random tests.
//!
//! The coverage that guides libFuzzer is an LLVM pass that any rustc can run, so neither a nightly
//! toolchain nor cargo-fuzz is needed: see `docs/decisions/0006-fuzzing.md`. A C++ compiler is: libFuzzer is
//! built from the source in its crate.
//!
//! Findings stay in `fuzz/artifacts/<target>/`, the inputs that explore in `fuzz/corpus/<target>/`, both
//! ignored by git. It does not know what a target checks.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::needs;
use crate::shell::{self, Failure};

/// The targets, each with the longest input worth trying.
const TARGETS: &[(&str, u32)] = &[
    ("wire_bytes", 4096),
    ("wire_ids", 128),
    ("names", 1200),
    ("operations", 4096),
    ("operations_on_disk", 4096),
];

const SHORT: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(30 * 60);
const SOAK_SEEDS: u32 = 100_000;
const SOAK_KILLS: u32 = 500;

/// What libFuzzer needs in the code: counters on edges, a table of where they are, and comparisons.
const COVERAGE: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// Every target for a minute.
///
/// # Errors
/// The build fails, or a target finds something; the failure says how to run the input again.
pub(crate) fn run() -> Result<(), Failure> {
    needs::cpp()?;
    let folder = built()?;
    for target in TARGETS {
        fuzz(&folder, target, SHORT)?;
    }
    println!("{} targets ran for {} s each and found nothing", TARGETS.len(), SHORT.as_secs());
    Ok(())
}

/// Every target for half an hour, many seeds of the simulation, and a server that is killed many times.
///
/// # Errors
/// Like [`run`], or a seed or the trial fails.
pub(crate) fn soak() -> Result<(), Failure> {
    needs::cpp()?;
    let words = ["test", "--release", "--package", "largesse-sim", "--test", "seeds"];
    println!("the simulation: {SOAK_SEEDS} seeds");
    shell::pass(shell::cargo(&words).env("LARGESSE_SIM_SEEDS", format!("0..{SOAK_SEEDS}")))?;
    println!("the server: {SOAK_KILLS} kills");
    shell::pass(&mut shell::cargo(&["build", "--package", "largesse"]))?;
    let words = ["test", "--package", "largesse-trials", "--test", "kills"];
    shell::pass(shell::cargo(&words).env("LARGESSE_KILLS", SOAK_KILLS.to_string()))?;
    let folder = built()?;
    for target in TARGETS {
        fuzz(&folder, target, LONG)?;
    }
    println!("{SOAK_SEEDS} seeds and {SOAK_KILLS} kills held, and {} targets found nothing", TARGETS.len());
    Ok(())
}

/// Builds all targets, and returns their folder.
fn built() -> Result<PathBuf, Failure> {
    let host = host()?;
    let out = shell::root().join("target").join("fuzz");
    // With `--target`, build scripts and macros are built without the flags.
    let words = ["build", "--release", "--locked", "--manifest-path", "fuzz/Cargo.toml", "--target", &host];
    let mut build = shell::cargo(&words);
    build.env("CARGO_TARGET_DIR", &out).env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\u{1f}"));
    shell::pass(&mut build)?;
    Ok(out.join(&host).join("release"))
}

fn host() -> Result<String, Failure> {
    let said = shell::output(&mut shell::program("rustc", &["--version", "--verbose"]))?;
    let said = String::from_utf8_lossy(&said);
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| Failure("rustc does not say its host.".to_owned()))
}

fn fuzz(folder: &Path, (name, bytes_max): &(&str, u32), time: Duration) -> Result<(), Failure> {
    println!("\n=== {name}: {} s", time.as_secs());
    let (corpus, artifacts) = (format!("fuzz/corpus/{name}"), format!("fuzz/artifacts/{name}/"));
    for place in [&corpus, &artifacts] {
        let made = std::fs::create_dir_all(shell::root().join(place));
        made.map_err(|error| Failure(format!("{place} cannot be made: {error}.")))?;
    }
    let words = [
        format!("-max_total_time={}", time.as_secs()),
        format!("-max_len={bytes_max}"),
        format!("-artifact_prefix={artifacts}"),
        "-timeout=10".to_owned(),
        // Long inputs from the start: a short one makes too few choices to go wrong.
        "-len_control=0".to_owned(),
        "-verbosity=0".to_owned(),
        "-print_final_stats=1".to_owned(),
        corpus,
        format!("fuzz/seeds/{name}"),
    ];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let binary = folder.join(name);
    let binary = binary.to_string_lossy();
    shell::pass(&mut shell::program(&binary, &words)).map_err(|failure| {
        let advice = format!(
            "The input is in {artifacts}; `{binary} <input>` runs it alone. Put it into fuzz/seeds/{name}/ once it is \
             understood: the tests of largesse-sim run what is there."
        );
        Failure(format!("{failure}\n{advice}"))
    })
}
