//! Reads and writes whole files.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use recurra_core::{Error, ErrorCode, Result};

pub(crate) fn invalid(path: &Path, what: impl std::fmt::Display) -> Error {
    Error::new(ErrorCode::InvalidFile, format!("{}: {what}", path.display()))
}

fn io(path: &Path, doing: &str, error: &std::io::Error) -> Error {
    Error::new(ErrorCode::Io, format!("{}: cannot {doing}: {error}", path.display())).caused_by(error)
}

/// Reads a whole file. Its size comes from the file system, never from a number in the file.
///
/// # Errors
/// `InvalidFile` if it is not a regular file, is larger than `limit`, or changes while it is read; `Io`.
pub fn read_whole(path: &Path, limit: u64) -> Result<Vec<u8>> {
    // Checked before opening, too: opening a pipe waits for a writer.
    if std::fs::metadata(path).is_ok_and(|about| !about.is_file()) {
        return Err(invalid(path, "not a regular file"));
    }
    let mut file = File::open(path).map_err(|error| io(path, "open", &error))?;
    let about = file.metadata().map_err(|error| io(path, "inspect", &error))?;
    if !about.is_file() {
        return Err(invalid(path, "not a regular file"));
    }
    if about.len() > limit {
        return Err(invalid(path, format_args!("{} bytes, more than the limit of {limit}", about.len())));
    }
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(about.len() as usize)
        .map_err(|_| Error::new(ErrorCode::Io, format!("{}: no memory for {} bytes", path.display(), about.len())))?;
    // One byte more than the size, to detect a growing file.
    Read::by_ref(&mut file).take(about.len() + 1).read_to_end(&mut bytes).map_err(|error| io(path, "read", &error))?;
    if bytes.len() as u64 != about.len() {
        return Err(invalid(path, "the file changed while it was read"));
    }
    Ok(bytes)
}

/// Maximum length of a name, in bytes, that leaves space for a prefix and suffix.
const LONGEST_NAME: usize = 200;

/// Writes to a temporary file next to `path`, syncs it, and renames it, so that `path` is always a complete file, old
/// or new.
///
/// # Errors
/// `Io`, also if `path` exists and is not a regular file.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let old = std::fs::metadata(&target).ok();
    if old.as_ref().is_some_and(|old| !old.is_file()) {
        // Renaming would replace a device such as /dev/null by a file.
        return Err(Error::new(ErrorCode::Io, format!("{}: not a regular file", path.display())));
    }
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // Named after the file, so that leftovers of a killed process can be recognised.
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let prefix = if name.len() <= LONGEST_NAME { format!(".{name}.") } else { ".recurra.".to_owned() };
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The process's umask still applies. With tempfile's default, only the owner could read the model.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut temporary = builder.tempfile_in(folder).map_err(|error| io(path, "create a file next to", &error))?;
    temporary.write_all(bytes).map_err(|error| io(path, "write", &error))?;
    if let Some(old) = old {
        // Keep the permissions of the old file. If the system refuses, the new file has the default ones.
        let _ = temporary.as_file().set_permissions(old.permissions());
    }
    temporary.as_file().sync_all().map_err(|error| io(path, "sync", &error))?;
    temporary.persist(&target).map_err(|error| io(path, "replace", &error.error))?;
    sync_folder(folder).map_err(|error| io(path, "sync the folder of", &error))
}

/// Makes a rename durable. On Windows, folders cannot be opened as files, and the file system journals names.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some file systems cannot sync a folder; the file itself is already synced.
        Err(error) if !matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_replaces_the_old_file_whole_and_leaves_no_temporary() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        std::fs::write(&path, b"old").unwrap();
        write_whole(&path, b"new").unwrap();
        assert_eq!(read_whole(&path, 1 << 20).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn writing_keeps_who_may_read_the_file_and_spares_devices_and_links() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("model"), folder.path().join("link"));
        std::fs::write(&path, b"old").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        write_whole(&link, b"new").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        for other in [Path::new("/dev/null"), folder.path()] {
            assert_eq!(write_whole(other, b"x").unwrap_err().code(), ErrorCode::Io);
        }
        assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn a_larger_file_than_the_limit_is_refused_before_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        std::fs::write(&path, b"new").unwrap();
        assert_eq!(read_whole(&path, 2).unwrap_err().code(), ErrorCode::InvalidFile);
    }
}
