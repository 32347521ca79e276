//! Durable state on disk: one redb file a host, written by one blocking thread that commits for many steps at once.
//!
//! A step's changes are handed over in order and get a number; [`Journal::committed`] says up to which number everything is
//! on disk. After an error nothing more is written: what was not committed is never reported as such. Every row carries a
//! checksum, and a file that is torn, corrupt, of another node or of a newer format is refused with the reason. It never
//! guesses.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use foresee_kernel::durable::Change;
use foresee_kernel::{NodeId, Rows};
use redb::{Builder, Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition, TableError};
use tokio::sync::{mpsc, oneshot, watch};
use xxhash_rust::xxh3::xxh3_64;

use crate::Error;
use crate::meter::Meter;

/// The version of the layout of the file.
const FORMAT: u64 = 1;

/// The most steps that one commit takes.
const COMMIT_STEPS_MAX: usize = 4096;

const META: TableDefinition<'static, &str, u64> = TableDefinition::new("foresee");

/// The file in a data directory.
const FILE: &str = "state.redb";

/// The rows of every layer of a service, by the layer's service.
pub(crate) type Layers = BTreeMap<String, Rows>;

/// What one step changed: the layer's service, and the change.
pub(crate) type StepChanges = Vec<(&'static str, Change)>;

/// How far a service's changes are on disk: the number of the last step, or why nothing more will be.
pub(crate) type Progress = Result<u64, String>;

/// The way to the thread that writes.
#[derive(Clone)]
pub(crate) struct Store {
    jobs: mpsc::UnboundedSender<Job>,
    /// How often a host was opened on this data, this time included.
    pub(crate) boots: u64,
    /// Whether what is durable may be kept here.
    pub(crate) kept: bool,
}

/// The way of one service to the thread that writes.
pub(crate) struct Journal {
    store: Store,
    service: Arc<str>,
    progress: Arc<watch::Sender<Progress>>,
    /// How far its changes are on disk.
    pub(crate) committed: watch::Receiver<Progress>,
    handed: u64,
}

enum Job {
    Write(Write),
    Load { service: Arc<str>, loaded: oneshot::Sender<Result<Layers, Error>> },
    Close(oneshot::Sender<()>),
}

struct Write {
    service: Arc<str>,
    changes: StepChanges,
    number: u64,
    progress: Arc<watch::Sender<Progress>>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("boots", &self.boots).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the file in `folder` and notes one more boot; the thread ends when the last handle is gone.
    pub(crate) async fn open(folder: &Path, node: NodeId, meter: Arc<Meter>) -> Result<Self, Error> {
        let folder = folder.to_owned();
        let shown = folder.join(FILE);
        Self::run(move || open_file(&folder), shown, node, meter).await
    }

    /// A store that ends with the process; `boots` tells its lives apart.
    pub(crate) async fn volatile(node: NodeId, boots: u64, meter: Arc<Meter>) -> Result<Self, Error> {
        let store = Self::over(redb::backends::InMemoryBackend::new(), node, meter).await?;
        Ok(Store { boots, ..store })
    }

    /// A store on anything that keeps bytes.
    pub(crate) async fn over(
        backend: impl StorageBackend,
        node: NodeId,
        meter: Arc<Meter>,
    ) -> Result<Self, Error> {
        let create = || Builder::new().create_with_backend(backend).map_err(|error| error.to_string());
        let shown = PathBuf::from("the store");
        let open = move || guarded(Path::new("the store"), create);
        Self::run(open, shown, node, meter).await
    }

    async fn run(
        open: impl FnOnce() -> Result<Database, Error> + Send + 'static,
        shown: PathBuf,
        node: NodeId,
        meter: Arc<Meter>,
    ) -> Result<Self, Error> {
        let (jobs, inbox) = mpsc::unbounded_channel();
        let (opened, outcome) = oneshot::channel();
        tokio::task::spawn_blocking(move || {
            let database = open().and_then(|database| {
                let boots = guarded(&shown, || begin(&database, node))?;
                Ok((database, boots))
            });
            match database {
                Err(error) => drop(opened.send(Err(error))),
                Ok((database, boots)) => {
                    if opened.send(Ok(boots)).is_ok() {
                        Writer { database, shown, meter, failed: None }.run(inbox);
                    }
                }
            }
        });
        let boots = outcome.await.map_err(|_| ended())??;
        Ok(Store { jobs, boots, kept: true })
    }

    /// The same, for services without durable variables alone.
    pub(crate) fn unkept(self) -> Self {
        Store { kept: false, ..self }
    }

    /// Done when the thread has written what it was handed and closed the file.
    pub(crate) async fn close(&self) {
        let (closed, done) = oneshot::channel();
        if self.jobs.send(Job::Close(closed)).is_ok() {
            let _ = done.await;
        }
    }

    /// The way of a service.
    pub(crate) fn journal(&self, service: &str) -> Journal {
        let (progress, committed) = watch::channel(Ok(0));
        let (store, service, progress) = (self.clone(), Arc::from(service), Arc::new(progress));
        Journal { store, service, progress, committed, handed: 0 }
    }
}

fn ended() -> Error {
    Error::Store("the thread of the store ended".to_owned())
}

impl Journal {
    /// Hands over what a step changed, and gives the number that [`Journal::committed`] reaches when it is on disk.
    pub(crate) fn write(&mut self, changes: StepChanges) -> u64 {
        self.handed += 1;
        let (service, progress) = (self.service.clone(), self.progress.clone());
        let write = Write { service, changes, number: self.handed, progress };
        if self.store.jobs.send(Job::Write(write)).is_err() {
            drop(self.progress.send_replace(Err(ended().to_string())));
        }
        self.handed
    }

    /// The number of the last step that was handed over.
    pub(crate) fn handed(&self) -> u64 {
        self.handed
    }

    /// What is on disk, after all that was handed over before.
    pub(crate) async fn load(&self) -> Result<Layers, Error> {
        let (loaded, outcome) = oneshot::channel();
        let job = Job::Load { service: self.service.clone(), loaded };
        self.store.jobs.send(job).map_err(|_| ended())?;
        outcome.await.map_err(|_| ended())?
    }
}

/// What the thread holds.
struct Writer {
    database: Database,
    shown: PathBuf,
    meter: Arc<Meter>,
    failed: Option<String>,
}

impl Writer {
    fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Job>) {
        let mut batch = Vec::new();
        while let Some(job) = inbox.blocking_recv() {
            let mut next = Some(job);
            while let Some(job) = next.take() {
                match job {
                    Job::Write(write) => batch.push(write),
                    Job::Load { service, loaded } => {
                        self.commit(&mut batch);
                        let rows = guarded(&self.shown, || load(&self.database, &service));
                        let _ = loaded.send(rows);
                    }
                    Job::Close(closed) => {
                        self.commit(&mut batch);
                        drop(self.database);
                        let _ = closed.send(());
                        return;
                    }
                }
                if batch.len() < COMMIT_STEPS_MAX {
                    next = inbox.try_recv().ok();
                }
            }
            self.commit(&mut batch);
        }
    }

    /// Commits what is in the batch, and tells the services how far they are.
    fn commit(&mut self, batch: &mut Vec<Write>) {
        if batch.is_empty() {
            return;
        }
        if self.failed.is_none() {
            let written = guarded(&self.shown, || write(&self.database, batch));
            match written {
                Ok(()) => {
                    self.meter.commits.inc();
                }
                Err(error) => {
                    tracing::error!(%error, "durable state cannot be written; its services stop");
                    self.failed = Some(error.to_string());
                }
            }
        }
        // A service is told of the last of its steps: that says all of those before it.
        let mut told: Vec<Write> = Vec::new();
        for write in batch.drain(..) {
            match told.iter_mut().find(|known| Arc::ptr_eq(&known.progress, &write.progress)) {
                Some(known) => *known = write,
                None => told.push(write),
            }
        }
        for Write { progress, number, .. } in told {
            drop(progress.send_replace(self.failed.clone().map_or(Ok(number), Err)));
        }
    }
}

/// Runs `body` on the file `shown`; an error, or a panic of the library over what it found, names the file.
fn guarded<T>(shown: &Path, body: impl FnOnce() -> Result<T, String>) -> Result<T, Error> {
    let refuse = |what: String| Error::Store(format!("{}: {what}", shown.display()));
    match foresee_kernel::fault::guard(body) {
        Ok(result) => result.map_err(refuse),
        Err(fault) => Err(refuse(format!("the file is corrupt: {}", fault.message))),
    }
}

fn open_file(folder: &Path) -> Result<Database, Error> {
    let path = folder.join(FILE);
    guarded(&path, || {
        std::fs::create_dir_all(folder).map_err(|error| format!("the folder cannot be made: {error}"))?;
        let mut database = Database::create(&path).map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen => "another process uses it".to_owned(),
            redb::DatabaseError::UpgradeRequired(version) => format!("its layout is of version {version}"),
            error => error.to_string(),
        })?;
        // Reading all of it costs time once, and says now what would be found when it is too late.
        match database.check_integrity() {
            Ok(true) => Ok(database),
            Ok(false) => Err("the file is corrupt: its parts do not fit together".to_owned()),
            Err(error) => Err(format!("the file is corrupt: {error}")),
        }
    })
}

/// Checks whose file it is, and notes one more boot.
fn begin(database: &Database, node: NodeId) -> Result<u64, String> {
    let transaction = database.begin_write().map_err(|error| error.to_string())?;
    let boots = {
        let mut meta = transaction.open_table(META).map_err(|error| error.to_string())?;
        let get = |meta: &redb::Table<'_, &str, u64>, key: &str| match meta.get(key) {
            Ok(found) => Ok(found.map(|it| it.value())),
            Err(error) => Err(error.to_string()),
        };
        match get(&meta, "format")? {
            None => drop(meta.insert("format", FORMAT).map_err(|error| error.to_string())?),
            Some(FORMAT) => {}
            Some(other) => {
                return Err(format!("its format is version {other}, this build reads version {FORMAT}"));
            }
        }
        match get(&meta, "node")? {
            None => drop(meta.insert("node", node.index() as u64).map_err(|error| error.to_string())?),
            Some(known) if known == node.index() as u64 => {}
            Some(other) => {
                return Err(format!("it is the data of node {other}, and this is node {}", node.index()));
            }
        }
        let boots = get(&meta, "boots")?.unwrap_or(0) + 1;
        meta.insert("boots", boots).map_err(|error| error.to_string())?;
        boots
    };
    transaction.commit().map_err(|error| error.to_string())?;
    Ok(boots)
}

fn table(service: &str) -> String {
    format!("service {service}")
}

fn write(database: &Database, batch: &[Write]) -> Result<(), String> {
    let transaction = database.begin_write().map_err(|error| error.to_string())?;
    for write in batch {
        let name = table(&write.service);
        let definition: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new(&name);
        let mut table = transaction.open_table(definition).map_err(|error| error.to_string())?;
        for (layer, change) in &write.changes {
            let key = key(layer, change);
            let result = match &change.value {
                Some(value) => table.insert(key.as_slice(), sealed(&key, value).as_slice()).map(drop),
                None => table.remove(key.as_slice()).map(drop),
            };
            result.map_err(|error| error.to_string())?;
        }
    }
    transaction.commit().map_err(|error| error.to_string())
}

fn load(database: &Database, service: &str) -> Result<Layers, String> {
    let transaction = database.begin_read().map_err(|error| error.to_string())?;
    let name = table(service);
    let definition: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new(&name);
    let table = match transaction.open_table(definition) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(Layers::new()),
        Err(error) => return Err(error.to_string()),
    };
    let mut layers = Layers::new();
    for row in table.iter().map_err(|error| error.to_string())? {
        let (key, value) = row.map_err(|error| error.to_string())?;
        let (key, value) = (key.value(), value.value());
        let (layer, variable, entry) = parts(key).ok_or("a row has no name")?;
        let value = unsealed(key, value).ok_or_else(|| {
            format!("the file is corrupt: a row of `{variable}` of {layer} does not fit its checksum")
        })?;
        let rows: &mut Rows = layers.entry(layer.to_owned()).or_default();
        rows.entry(variable.to_owned()).or_default().insert(entry.to_vec(), value.to_vec());
    }
    Ok(layers)
}

fn key(layer: &str, change: &Change) -> Vec<u8> {
    [layer.as_bytes(), &[0], change.variable.as_bytes(), &[0], &change.key].concat()
}

fn parts(key: &[u8]) -> Option<(&str, &str, &[u8])> {
    let mut parts = key.splitn(3, |byte| *byte == 0);
    let mut text = || std::str::from_utf8(parts.next()?).ok();
    let (layer, variable) = (text()?, text()?);
    Some((layer, variable, parts.next()?))
}

/// A value with the checksum of its row before it.
fn sealed(key: &[u8], value: &[u8]) -> Vec<u8> {
    [&checksum(key, value).to_be_bytes(), value].concat()
}

fn unsealed<'v>(key: &[u8], sealed: &'v [u8]) -> Option<&'v [u8]> {
    let (sum, value) = sealed.split_first_chunk::<8>()?;
    (u64::from_be_bytes(*sum) == checksum(key, value)).then_some(value)
}

fn checksum(key: &[u8], value: &[u8]) -> u64 {
    xxh3_64(&[&(key.len() as u64).to_be_bytes(), key, value].concat())
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
