//! The bare things that the broker is measured against: a TCP echo and a sendfile loop.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// Round trips of a request and an answer of the given sizes through a server that does nothing else, sorted.
pub(crate) fn echo(rounds: usize, request: usize, answer: usize) -> io::Result<Vec<Duration>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = thread::spawn(move || -> io::Result<()> {
        let (mut stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        let (mut received, sent) = (vec![0; request], vec![0; answer]);
        for _ in 0..rounds {
            stream.read_exact(&mut received)?;
            stream.write_all(&sent)?;
        }
        Ok(())
    });
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let (sent, mut received) = (vec![1; request], vec![0; answer]);
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let started = Instant::now();
        stream.write_all(&sent)?;
        stream.read_exact(&mut received)?;
        times.push(started.elapsed());
    }
    server.join().expect("the echo server does not panic")?;
    times.sort();
    Ok(times)
}

/// CPU time that a loop of `sendfile` takes to send the whole of `file` over loopback, in chunks of `chunk` bytes, to a
/// reader that drops what it gets. Only the sending thread counts.
pub(crate) fn sendfile(file: &File, chunk: usize) -> io::Result<Duration> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let reader = thread::spawn(move || drain(address));
    let (stream, _) = listener.accept()?;
    let len = file.metadata()?.len();
    let before = thread_cpu();
    let mut position = 0;
    while position < len {
        let sent = rustix::fs::sendfile(&stream, file, Some(&mut position), chunk)?;
        if sent == 0 {
            break;
        }
    }
    let spent = thread_cpu() - before;
    drop(stream);
    reader.join().expect("the reader does not panic")?;
    Ok(spent)
}

fn drain(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    let mut buffer = vec![0; 1 << 20];
    while stream.read(&mut buffer)? > 0 {}
    Ok(())
}

fn thread_cpu() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).expect("below a second"))
}
