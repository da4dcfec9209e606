//! Many units of work at once: submitted together so that SQLite commits them together and PostgreSQL uses all its threads.

use std::sync::mpsc;

use kaname_base::Bucket;
use kaname_store::{Store, StoreError, Tx};

/// The most units under way at once; a quarter of the queue, so that a person at a counter is not kept waiting.
const UNDER_WAY: usize = 1_024;

/// Units of work that were submitted; [`Scattered::gather`] waits until each is durable.
pub(crate) struct Scattered<T, E> {
    answers: mpsc::Receiver<(usize, Result<T, E>)>,
    gathered: Vec<Option<T>>,
    waiting: usize,
}

/// Submits one unit of work that may change its bucket for each of `units`.
pub(crate) fn scatter<T, E, W>(store: &Store, units: Vec<(Bucket, W)>) -> Result<Scattered<T, E>, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    W: for<'u> FnMut(&mut Tx<'u>) -> Result<T, E> + Clone + Send + 'static,
{
    submit(
        units,
        |bucket, work, reply| store.submit_write(bucket, work, reply),
        |bucket, work| store.write(bucket, work),
    )
}

/// Submits one unit of work that only reads for each of `units`.
pub(crate) fn scatter_reads<T, E, W>(store: &Store, units: Vec<(Bucket, W)>) -> Result<Scattered<T, E>, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    W: for<'u> FnMut(&mut Tx<'u>) -> Result<T, E> + Clone + Send + 'static,
{
    submit(
        units,
        |bucket, work, reply| store.submit_read(bucket, work, reply),
        |bucket, work| store.read(bucket, work),
    )
}

type Reply<T, E> = Box<dyn FnOnce(Result<T, E>) + Send>;

fn submit<T, E, W>(
    units: Vec<(Bucket, W)>,
    offer: impl Fn(Bucket, W, Reply<T, E>) -> Result<(), StoreError>,
    wait: impl Fn(Bucket, W) -> Result<T, E>,
) -> Result<Scattered<T, E>, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    W: for<'u> FnMut(&mut Tx<'u>) -> Result<T, E> + Clone + Send + 'static,
{
    let (send, answers) = mpsc::channel::<(usize, Result<T, E>)>();
    let mut scattered: Scattered<T, E> =
        Scattered { answers, gathered: units.iter().map(|_| None).collect(), waiting: 0 };
    for (place, (bucket, work)) in units.into_iter().enumerate() {
        while scattered.waiting >= UNDER_WAY {
            scattered.take_one()?;
        }
        loop {
            let send = send.clone();
            let reply = move |answer: Result<T, E>| drop(send.send((place, answer)));
            match offer(bucket, work.clone(), Box::new(reply)) {
                Ok(()) => {
                    scattered.waiting += 1;
                    break;
                }
                // The queue is full. One of ours will make room; when others fill it, stand in it like they do.
                Err(StoreError::Busy) if scattered.waiting > 0 => scattered.take_one()?,
                Err(StoreError::Busy) => {
                    scattered.gathered[place] = Some(wait(bucket, work.clone())?);
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(scattered)
}

impl<T, E: From<StoreError>> Scattered<T, E> {
    /// The answers, in the order of the units.
    pub(crate) fn gather(mut self) -> Result<Vec<T>, E> {
        while self.waiting > 0 {
            self.take_one()?;
        }
        self.gathered.into_iter().map(|answer| answer.ok_or_else(|| StoreError::Crashed.into())).collect()
    }

    fn take_one(&mut self) -> Result<(), E> {
        let (place, answer) = self.answers.recv().map_err(|_| StoreError::Crashed)?;
        self.waiting -= 1;
        self.gathered[place] = Some(answer?);
        Ok(())
    }
}
