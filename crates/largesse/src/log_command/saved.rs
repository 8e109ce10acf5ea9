//! What stdin has where a saved log should be: lines of UTF-8, or something that was made from them.
//!
//! Invariant: what is refused is refused by its first bytes, with the command that undoes it. Does not unpack anything.

use std::io::{BufRead, Chain, Cursor, IsTerminal, Read, Stdin};

use rustix::fs::{FileType, fstat, tell};

use crate::terminal::{Failure, note};

/// How many bytes to look at: as many as it takes to recognise a tar archive.
const FIRST_BYTES: usize = 512;
/// Some editors put it at the start of a file; JSON does not have it (RFC 8259, clause 8.1).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// First bytes, at which offset, what they are, and the program that turns it back into lines.
const KINDS: &[(usize, &[u8], &str, &str)] = &[
    (0, b"\x1f\x8b", "compressed by gzip", "zcat FILE"),
    (0, b"\x28\xb5\x2f\xfd", "compressed by zstd", "zstdcat FILE"),
    (0, b"\xfd7zXZ\0", "compressed by xz", "xzcat FILE"),
    (0, b"BZh", "compressed by bzip2", "bzcat FILE"),
    (0, b"\x04\x22\x4d\x18", "compressed by lz4", "lz4cat FILE"),
    (0, b"PK\x03\x04", "a zip archive", "unzip -p FILE"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", "7z x -so FILE"),
    (257, b"ustar", "a tar archive", "tar -xOf FILE"),
    (0, b"\xff\xfe", "UTF-16, as PowerShell's > writes it,", "iconv -f UTF-16 -t UTF-8 FILE"),
    (0, b"\xfe\xff", "UTF-16", "iconv -f UTF-16 -t UTF-8 FILE"),
];

/// The input, once it is known to be none of these, without a byte order mark.
///
/// # Errors
/// It is one of [`KINDS`]; the failure says what to do. Or it can't be read.
pub(super) fn opened<R: BufRead + IsTerminal>(mut input: R) -> Result<Chain<Cursor<Vec<u8>>, R>, Failure> {
    if input.is_terminal() {
        note("reading the saved log from the terminal; `largesse log import < FILE` reads a file");
        return Ok(Cursor::new(Vec::new()).chain(input));
    }
    let mut first = Vec::with_capacity(FIRST_BYTES);
    let read = input.by_ref().take(FIRST_BYTES as u64).read_to_end(&mut first);
    read.map_err(|error| Failure(format!("stdin: {error}")))?;
    if let Some(refusal) = refusal(&first) {
        return Err(Failure(refusal));
    }
    let mut first = Cursor::new(first);
    if first.get_ref().starts_with(BYTE_ORDER_MARK) {
        first.set_position(BYTE_ORDER_MARK.len() as u64);
    }
    Ok(first.chain(input))
}

fn refusal(first: &[u8]) -> Option<String> {
    let is_there = |at: usize, bytes: &[u8]| first.get(at..).is_some_and(|rest| rest.starts_with(bytes));
    let (.., what, undo) = KINDS.iter().find(|(at, bytes, ..)| is_there(*at, bytes))?;
    Some(format!(
        "stdin is {what} and not the lines of a saved log: put {undo} | before the command, as in {undo} | largesse log import --data DIR"
    ))
}

/// How many bytes there are to read, before reading any, if stdin is a file.
pub(super) fn bytes(stdin: &Stdin) -> Option<u64> {
    let found =
        fstat(stdin).ok().filter(|found| FileType::from_raw_mode(found.st_mode) == FileType::RegularFile)?;
    u64::try_from(found.st_size).ok()?.checked_sub(tell(stdin).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_told_with_the_command_that_undoes_it() {
        let mut tar = vec![b'a'; 300];
        tar[257..262].copy_from_slice(b"ustar");
        let rows: [(&[u8], Option<&str>); 13] = [
            (b"\x1f\x8b\x08rest", Some("zcat FILE | largesse log import --data DIR")),
            (b"\x28\xb5\x2f\xfdrest", Some("zstdcat FILE |")),
            (b"\xfd7zXZ\0rest", Some("xzcat FILE |")),
            (b"BZh91AY", Some("bzcat FILE |")),
            (b"\x04\x22\x4d\x18", Some("lz4cat FILE |")),
            (b"PK\x03\x04rest", Some("unzip -p FILE |")),
            (&tar, Some("tar -xOf FILE |")),
            (b"\xff\xfe{\0", Some("iconv -f UTF-16")),
            (b"\xfe\xff\0{", Some("iconv -f UTF-16")),
            (b"{\"export\":1}\n", None),
            (b"\xef\xbb\xbf{\"export\":1}\n", None),
            (b"", None),
            (b"\x1f", None),
        ];
        for (first, want) in rows {
            let told = refusal(first);
            let fits = told.as_deref().zip(want).is_some_and(|(told, want)| told.contains(want));
            assert!(fits || (told.is_none() && want.is_none()), "{first:?}: {told:?}");
        }
    }
}
