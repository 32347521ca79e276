//! A chat in rooms over the multicast of `specs/scribe.mace`: a line that is typed goes up the tree and down to everybody in the room.
//!
//! Nobody keeps a list of who is where: who enters a room subscribes to it, and the tree mends itself. What is said while a node is on
//! its way into the tree may be missed.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use foresee::Host;
use foresee::kernel::{NodeId, Payload};
use scribe::imported::rand_tree::Tree;
use scribe::multicast::Upcall::Received;
use scribe::scribe::Told;
use scribe::{Multicast, Scribe};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

foresee::include_spec!("scribe");

/// A place in the chat: lines that are typed are said, `/room 7` goes elsewhere
#[derive(Parser)]
struct Args {
    /// Which node this is
    #[arg(long)]
    id: u32,
    /// The file that says where the nodes are
    #[arg(long)]
    peers: PathBuf,
    /// Where this node listens for its peers
    #[arg(long)]
    listen: String,
    /// The folder for its durable state
    #[arg(long)]
    data: PathBuf,
    /// How the others call you
    #[arg(long)]
    name: String,
    /// Where you begin
    #[arg(long, default_value_t = 1)]
    room: u32,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env()).init();
    let Args { id, peers, listen, data, name, mut room } = Args::parse();
    let host = Host::bind(listen).id(NodeId::new(id)).peers(peers).data(data).open().await?;
    // Who was away is back in its rooms within a second.
    let (chat, mut told) = host.start(Scribe::new().refresh(Duration::from_secs(1))).await?;
    chat.join(host.peers()).await?;
    chat.subscribe(room).await?;
    let mut lines = BufReader::new(stdin()).lines();
    loop {
        tokio::select! {
            line = lines.next_line() => match line? {
                None => break,
                Some(line) => match line.strip_prefix("/room ").map(str::parse) {
                    Some(Ok(other)) => {
                        chat.unsubscribe(room).await?;
                        room = other;
                        chat.subscribe(room).await?;
                    }
                    Some(Err(_)) => writeln!(std::io::stderr(), "a room is a number: /room 7")?,
                    None => chat.publish(room, Payload::of(format!("{name}: {line}"))).await?,
                },
            },
            told = told.next() => match told {
                None => break,
                Some(Told::Multicast(Received { topic, body })) => {
                    let text = body.get::<String>().map_or("?", String::as_str);
                    writeln!(std::io::stdout(), "[{topic}] {text}")?;
                }
                Some(Told::Tree(_)) => {}
            },
        }
    }
    host.shutdown().await;
    Ok(())
}
