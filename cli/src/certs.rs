//! `foresee certs`: the authority of a cluster, and a certificate for each node that is bound to its number.
//!
//! Certificates have a name such as `node-3.foresee`, which both ends of a connection look for. Keys are written for their owner alone.
//! The machine's clock says from when on they are good, and it has to be right where nodes run.

use std::fs;
use std::io::Write;
use std::ops::Range;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};

use crate::exit::{Exit, Failure, Outcome};
use crate::input;

/// How much later than ours the clock of a node may be.
const CLOCKS: Duration = Duration::hours(1);

/// For how long an authority is good, in days: longer than what it signs.
const AUTHORITY_DAYS: i64 = 3650;

/// The most nodes of one command.
const NODES_MAX: u32 = 100_000;

/// Reads `3` or `0..5`.
pub(crate) fn numbers(text: &str) -> Result<Range<u32>, String> {
    let expected =
        || format!("expected a number such as 3, or a range such as 0..5, of at most {NODES_MAX} nodes");
    let read = |text: &str| text.trim().parse::<u32>().map_err(|_| expected());
    let range = match text.split_once("..") {
        None => {
            let one = read(text)?;
            one..one.checked_add(1).ok_or_else(expected)?
        }
        Some((from, to)) => read(from)?..read(to)?,
    };
    match range.is_empty() || range.end - range.start > NODES_MAX {
        true => Err(expected()),
        false => Ok(range),
    }
}

/// Runs the command.
///
/// # Errors
/// A folder that cannot be written, an authority that cannot be read.
pub(crate) fn run(
    folder: &Path,
    nodes: &[Range<u32>],
    days: u16,
    renew: bool,
    out: &mut dyn Write,
) -> Outcome {
    let shown = input::name(folder);
    let told = |what: String| Failure::Told(format!("{shown}: {what}"));
    fs::create_dir_all(folder).map_err(|error| told(error.to_string()))?;
    let (authority, key) = (folder.join("authority.pem"), folder.join("authority.key"));
    match (authority.exists(), key.exists()) {
        (true, true) => {}
        (false, false) => {
            make_authority(&authority, &key).map_err(told)?;
            writeln!(out, "made the authority: {shown}/authority.pem")?;
        }
        (true, false) => {
            return Err(told("`authority.key` is missing, and without it nothing can be signed".into()));
        }
        (false, true) => {
            return Err(told("`authority.pem` is missing, of which `authority.key` is the key".into()));
        }
    }
    let read =
        |path: &Path| fs::read_to_string(path).map_err(|error| told(format!("{}: {error}", path.display())));
    let unusable = |error: rcgen::Error| told(format!("the authority cannot be used: {error}"));
    let key = KeyPair::from_pem(&read(&key)?).map_err(unusable)?;
    let issuer = Issuer::new(authority_params().map_err(unusable)?, key);
    let (mut made, mut kept) = (0_usize, 0_usize);
    for node in nodes.iter().cloned().flatten() {
        let [certificate, key] = ["pem", "key"].map(|ending| folder.join(format!("node-{node}.{ending}")));
        if certificate.exists() && key.exists() && !renew {
            kept += 1;
            continue;
        }
        make_node(&issuer, node, i64::from(days), &certificate, &key).map_err(told)?;
        made += 1;
    }
    writeln!(out, "made {made} certificates for nodes in {shown}, good for {days} days; {kept} were there")?;
    Ok(Exit::Held)
}

/// What an authority says of itself; the same whenever it is asked, since certificates name their issuer by it.
fn authority_params() -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.distinguished_name.push(DnType::CommonName, "the authority of a foresee cluster");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    good_for(&mut params, AUTHORITY_DAYS);
    Ok(params)
}

fn good_for(params: &mut CertificateParams, days: i64) {
    // A certificate is good from a moment on: the machine's clock is all there is to go by.
    let now = OffsetDateTime::now_utc();
    (params.not_before, params.not_after) = (now - CLOCKS, now + Duration::days(days));
}

fn make_authority(certificate: &Path, key: &Path) -> Result<(), String> {
    let said = |error: rcgen::Error| error.to_string();
    let made = KeyPair::generate().map_err(said)?;
    let issuer = CertifiedIssuer::self_signed(authority_params().map_err(said)?, made).map_err(said)?;
    secret(key, &issuer.key().serialize_pem())?;
    fs::write(certificate, issuer.pem()).map_err(|error| error.to_string())
}

/// Makes the certificate of a node, and its key.
fn make_node(
    issuer: &Issuer<'_, KeyPair>,
    node: u32,
    days: i64,
    certificate: &Path,
    key: &Path,
) -> Result<(), String> {
    let said = |error: rcgen::Error| error.to_string();
    let name = format!("node-{node}.foresee");
    let mut params = CertificateParams::new(vec![name.clone()]).map_err(said)?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    good_for(&mut params, days);
    let made = KeyPair::generate().map_err(said)?;
    let signed = params.signed_by(&made, issuer).map_err(said)?;
    secret(key, &made.serialize_pem())?;
    fs::write(certificate, signed.pem()).map_err(|error| error.to_string())
}

/// Writes a file that its owner alone can read.
fn secret(path: &Path, text: &str) -> Result<(), String> {
    let said = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
        // One that is there keeps its mode otherwise.
        let _ = fs::remove_file(path);
    }
    options.open(path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_numbers_and_ranges() {
        assert_eq!((numbers("3"), numbers("0..5")), (Ok(3..4), Ok(0..5)));
        for text in ["", "x", "5..5", "6..5", "-1", "0..200000", "4294967295"] {
            assert!(numbers(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_second_time_makes_what_is_new_and_keys_are_their_owners() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path().join("certs");
        let run = |nodes: Range<u32>, renew: bool| {
            let mut out = Vec::new();
            let outcome = super::run(&dir, &[nodes], 30, renew, &mut out);
            assert!(matches!(outcome, Ok(Exit::Held)));
            String::from_utf8(out).expect("text")
        };
        let file = |name: &str| fs::read_to_string(dir.join(name)).expect("it is there");
        assert!(run(0..2, false).contains("made 2 certificates"));
        let (first, authority) = (file("node-0.pem"), file("authority.pem"));
        assert!(run(0..3, false).contains("made 1 certificates for nodes"));
        assert_eq!((file("node-0.pem"), file("authority.pem")), (first.clone(), authority.clone()));
        assert!(run(0..1, true).contains("made 1 certificates"));
        assert_ne!(file("node-0.pem"), first);
        assert_eq!(file("authority.pem"), authority);
        #[cfg(unix)]
        for name in ["authority.key", "node-0.key", "node-2.key"] {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(dir.join(name)).expect("it is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        fs::remove_file(dir.join("authority.key")).expect("it can be removed");
        let outcome = super::run(&dir, std::slice::from_ref(&(0..1)), 30, true, &mut Vec::new());
        assert!(matches!(outcome, Err(Failure::Told(what)) if what.contains("`authority.key` is missing")));
    }
}
