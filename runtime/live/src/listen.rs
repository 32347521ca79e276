//! The ports of a host: who may come in, and where to. Whatever is not from a peer is refused, counted, and said once.

use std::sync::Arc;

use tokio::net::UdpSocket;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::frame::{self, Answer, DATAGRAM_BYTES_MAX, DatagramHead, Hello, Refusal};
use crate::host::{Doors, Shared};
use crate::link::{self, Adopt};
use crate::transport::{Later, Proof, Stream};

/// Takes connections. One that does not say in time who it is is closed, and so is one too many that has not said so.
pub(crate) async fn connections(shared: Arc<Shared>) {
    let unknown = Arc::new(Semaphore::new(shared.limits.handshakes));
    loop {
        let (incoming, address) = match shared.carry.accept().await {
            Ok((address, incoming)) => (incoming, address),
            Err(error) => {
                // Out of descriptors, mostly: those in use come back.
                tracing::warn!(%error, "a connection cannot be taken");
                tokio::time::sleep_until(tokio::time::Instant::now() + std::time::Duration::from_millis(50))
                    .await;
                continue;
            }
        };
        let Ok(permit) = unknown.clone().try_acquire_owned() else {
            shared.meter.refuse("too many connections");
            continue;
        };
        let host = shared.clone();
        shared.spawn(async move {
            let refused = meet(&host, incoming).await.err();
            drop(permit);
            if let Some(Refusal { counted, said }) = refused {
                host.meter.refuse(counted);
                tracing::warn!(%address, reason = said, "a connection was refused");
            }
        });
    }
}

/// Finds out who a connection is from, and hands it to the service that it is for.
async fn meet(
    shared: &Arc<Shared>,
    incoming: Later<'static, Result<Stream, Refusal>>,
) -> Result<(), Refusal> {
    let says = async {
        let mut stream = incoming.await?;
        let frame = link::handshake_frame(&mut stream.reader).await;
        Ok((stream, frame.map_err(|said| Refusal::new("noise", said))?))
    };
    let late = |_| Refusal::new("half open", "it did not say in time who it is");
    let (stream, frame) = timeout(shared.limits.handshake, says).await.map_err(late)??;
    match admit(shared, &frame, stream.proof.as_ref()) {
        Ok((hello, service, carrier)) => {
            let adopt = Adopt { stream, hello };
            service
                .adopts
                .try_send((carrier, adopt))
                .map_err(|_| Refusal::new("too many connections", "the service is busy"))
        }
        Err(refusal) => {
            link::answer(stream, &Answer::Refused(refusal.said.clone())).await;
            Err(refusal)
        }
    }
}

fn admit(shared: &Shared, frame: &[u8], proof: Option<&Proof>) -> Result<(Hello, Arc<Doors>, u8), Refusal> {
    let hello = Hello::read(frame)?;
    if shared.proven && !proof.is_some_and(|proof| proof.is(hello.from)) {
        let said = format!("its certificate is not that of node {}", hello.from.index());
        return Err(Refusal::new("wrong certificate", said));
    }
    if hello.to != shared.me {
        return Err(Refusal::new(
            "wrong node",
            format!("it wants node {}, this is {}", hello.to.index(), shared.me.index()),
        ));
    }
    if hello.from == shared.me || shared.peers.address(hello.from).is_none() {
        return Err(Refusal::new("stranger", format!("node {} is no peer", hello.from.index())));
    }
    if shared.is_cut(hello.from) {
        return Err(Refusal::new("link cut", format!("the link with node {} is cut", hello.from.index())));
    }
    let unknown = || {
        Refusal::new("wrong service", format!("there is no service `{}` here", hello.service.escape_debug()))
    };
    let service = shared.doors(&hello.service).ok_or_else(unknown)?;
    let carrier = service.carriers.iter().position(|it| it.name == hello.carrier);
    let carrier = carrier.ok_or_else(|| {
        Refusal::new(
            "wrong service",
            format!("the service has no carrier `{}`", hello.carrier.escape_debug()),
        )
    })?;
    if hello.wire != service.wires.hash() {
        let said = format!(
            "its messages are of other types: their hash is {:016x}, here it is {:016x}",
            hello.wire,
            service.wires.hash()
        );
        return Err(Refusal::new("other types", said));
    }
    Ok((hello, service, carrier as u8))
}

/// Takes datagrams. What a service has no room for is lost, as on any network.
pub(crate) async fn datagrams(shared: Arc<Shared>, socket: Arc<UdpSocket>) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        let (length, address) = match socket.recv_from(&mut buffer).await {
            Ok(received) => received,
            // Word of an earlier datagram that nobody took.
            Err(_) => continue,
        };
        if let Err(Refusal { counted, said }) = datagram(&shared, &buffer[..length], address) {
            shared.meter.refuse(counted);
            tracing::debug!(%address, reason = said, "a datagram was refused");
        }
    }
}

fn datagram(shared: &Shared, bytes: &[u8], address: std::net::SocketAddr) -> Result<(), Refusal> {
    let (head, frame) = DatagramHead::read(bytes)?;
    let DatagramHead { key, wire, from, to } = head;
    if to != shared.me {
        return Err(Refusal::new("wrong node", "it is for another node"));
    }
    // A peer sends from where it listens: the address is all that vouches for the sender.
    if from == shared.me || shared.peers.address(from) != Some(address) {
        return Err(Refusal::new(
            "stranger",
            format!("it says it is from node {}, whose address is another", from.index()),
        ));
    }
    if shared.is_cut(from) {
        return Err(Refusal::new("link cut", format!("the link with node {} is cut", from.index())));
    }
    let services = shared.services.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let found = services.values().find_map(|service| {
        let place = service.doors.keys.iter().position(|it| *it == key)?;
        Some((service.doors.clone(), place))
    });
    drop(services);
    let (service, carrier) =
        found.ok_or_else(|| Refusal::new("wrong service", "there is no such service"))?;
    if wire != service.wires.hash() {
        return Err(Refusal::new("other types", "its messages are of other types"));
    }
    let (place, form) = frame::parts(frame).ok_or_else(|| Refusal::new("malformed", "it has no message"))?;
    let message = service.wires.decode(place, form);
    let message = message.map_err(|error| Refusal::new("malformed", error.to_string()))?;
    shared.meter.messages_received.inc();
    shared.meter.bytes_received.inc_by(frame.len() as u64);
    let Some(datagram) = service.helm.datagram((from, carrier as u8, message)) else { return Ok(()) };
    service.datagrams.try_send(datagram).map_err(|_| Refusal::new("busy", "the service has no room"))?;
    service.helm.drive();
    Ok(())
}
