//! The store against disks that fill, tear, rot, and belong to others.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use redb::backends::InMemoryBackend;

use super::*;

fn node() -> NodeId {
    NodeId::new(3)
}

fn meter() -> Arc<Meter> {
    Arc::new(Meter::new())
}

fn put(key: u8, value: &[u8]) -> StepChanges {
    vec![("Log", Change { variable: "rows", key: vec![0, key], value: Some(value.to_vec()) })]
}

async fn committed(journal: &mut Journal, number: u64) -> Progress {
    let reached = |progress: &Progress| progress.as_ref().is_ok_and(|it| *it >= number) || progress.is_err();
    journal.committed.wait_for(reached).await.expect("the journal holds the sender").clone()
}

#[tokio::test]
async fn what_is_committed_is_there_at_the_next_boot() {
    let folder = tempfile::tempdir().expect("a folder");
    for boot in 1..=3_u8 {
        let store = Store::open(folder.path(), node(), meter()).await.expect("it opens");
        assert_eq!(store.boots, u64::from(boot));
        let mut journal = store.journal("kv");
        let layers = journal.load().await.expect("it loads");
        let rows = layers.get("Log").and_then(|rows| rows.get("rows"));
        assert_eq!(rows.map_or(0, BTreeMap::len), usize::from(boot - 1));
        let number = journal.write(put(boot, b"x"));
        assert_eq!(committed(&mut journal, number).await, Ok(number));
        assert!(store.journal("other").load().await.expect("it loads").is_empty());
        drop((journal, store));
        wait_until_closed(folder.path()).await;
    }
}

/// The thread closes its file a moment after the last handle is gone.
async fn wait_until_closed(folder: &Path) {
    for _ in 0..500 {
        match Database::create(folder.join(FILE)) {
            Err(redb::DatabaseError::DatabaseAlreadyOpen) => {
                tokio::time::timeout(std::time::Duration::from_millis(10), std::future::pending::<()>())
                    .await
                    .expect_err("nothing else ends the wait");
            }
            _ => return,
        }
    }
    panic!("the file stays open");
}

#[tokio::test]
async fn many_steps_share_a_commit() {
    let meter = meter();
    let store = Store::volatile(node(), 1, meter.clone()).await.expect("it opens");
    let mut journal = store.journal("kv");
    let mut last = 0;
    for step in 0..500_u32 {
        last = journal.write(put(step as u8, &step.to_be_bytes()));
    }
    assert_eq!(committed(&mut journal, last).await, Ok(500));
    let commits = meter.commits().0;
    assert!(commits < 250, "500 steps took {commits} commits");
    assert_eq!(journal.handed(), last);
}

#[tokio::test]
async fn the_data_of_another_node_and_of_a_newer_format_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(Store::open(folder.path(), node(), meter()).await.expect("it opens"));
    wait_until_closed(folder.path()).await;
    let error = Store::open(folder.path(), NodeId::new(4), meter()).await.expect_err("it is another's");
    assert!(error.to_string().contains("the data of node 3, and this is node 4"), "{error}");
    wait_until_closed(folder.path()).await;
    {
        let database = Database::create(folder.path().join(FILE)).expect("it opens");
        let transaction = database.begin_write().expect("it begins");
        transaction
            .open_table(META)
            .expect("it is there")
            .insert("format", FORMAT + 1)
            .expect("it is written");
        transaction.commit().expect("it commits");
    }
    let error = Store::open(folder.path(), node(), meter()).await.expect_err("it is newer");
    assert!(error.to_string().contains("its format is version 2, this build reads version 1"), "{error}");
}

#[tokio::test]
async fn a_file_in_use_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let _store = Store::open(folder.path(), node(), meter()).await.expect("it opens");
    let error = Store::open(folder.path(), node(), meter()).await.expect_err("it is in use");
    assert!(error.to_string().contains("another process uses it"), "{error}");
}

#[tokio::test]
async fn a_file_that_was_cut_or_changed_is_refused_or_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), node(), meter()).await.expect("it opens");
    let mut journal = store.journal("kv");
    let mut last = 0;
    for step in 0..64 {
        last = journal.write(put(step, &[step; 512]));
    }
    committed(&mut journal, last).await.expect("it commits");
    let whole = journal.load().await.expect("it loads");
    drop((journal, store));
    wait_until_closed(folder.path()).await;
    let bytes = std::fs::read(folder.path().join(FILE)).expect("it is read");
    let mut refused = 0;
    let cuts = (1..8).map(|part| bytes[..bytes.len() * part / 8].to_vec());
    let noises = (0..24).map(|place| {
        let mut changed = bytes.clone();
        let at = bytes.len() * place / 24;
        changed[at..(at + 64).min(bytes.len())].fill(0xA5);
        changed
    });
    for damaged in cuts.chain(noises) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(FILE), damaged).expect("it is written");
        let loaded = match Store::open(folder.path(), node(), meter()).await {
            Err(error) => Err(error),
            Ok(store) => store.journal("kv").load().await,
        };
        match loaded {
            // Bytes that nothing uses may change.
            Ok(rows) => assert!(rows == whole, "damage went unnoticed"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused >= 7, "only {refused} were refused");
}

/// A disk that says no after some writes.
#[derive(Debug)]
struct Failing {
    disk: InMemoryBackend,
    writes: Arc<AtomicUsize>,
    error: i32,
}

impl StorageBackend for Failing {
    fn len(&self) -> Result<u64, io::Error> {
        self.disk.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        self.disk.read(offset, out)
    }
    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.disk.set_len(len)
    }
    fn sync_data(&self) -> Result<(), io::Error> {
        self.disk.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        let left = self.writes.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map_err(|_| io::Error::from_raw_os_error(self.error))?;
        self.disk.write(offset, data)
    }
}

#[tokio::test]
async fn a_disk_that_is_full_or_read_only_acknowledges_nothing_more() {
    for (error, said) in [(28, "No space left"), (30, "Read-only")] {
        let writes = Arc::new(AtomicUsize::new(1_000_000));
        let disk = Failing { disk: InMemoryBackend::new(), writes: writes.clone(), error };
        let store = Store::over(disk, node(), meter()).await.expect("it opens");
        let mut journal = store.journal("kv");
        let first = journal.write(put(1, b"kept"));
        assert_eq!(committed(&mut journal, first).await, Ok(first));
        writes.store(0, Ordering::SeqCst);
        let second = journal.write(put(2, b"lost"));
        let failed = committed(&mut journal, second).await.expect_err("the disk says no");
        assert!(failed.contains(said), "{failed}");
        writes.store(1_000_000, Ordering::SeqCst);
        let third = journal.write(put(3, b"too late"));
        assert!(committed(&mut journal, third).await.is_err(), "a store that failed stays down");
    }
}
