//! A fleet of clients after an outage of the authorization server: the shipped client code over a clock that is
//! simulated. `cargo xtask bench fleet` runs it, and writes `bench/RESULTS-fleet.md`.

#[path = "world.rs"]
mod world;

use std::fmt::Write;
use std::rc::Rc;
use wardkey::client::Client;
use wardkey::protocol::authorize::{SignIn, Window};
use wardkey::protocol::config::Config;
use wardkey::protocol::json::{self, Value};
use wardkey::protocol::token::TokenOptions;
use world::{Device, World};

const CLIENTS: usize = 100_000;
const SECOND: i64 = 1_000;
const OUTAGE: i64 = 600 * SECOND;
/// Milliseconds in which all wake.
const WAKING: i64 = SECOND;

/// A fleet's day.
struct Run {
    name: &'static str,
    /// Were the clients awake during the outage, or do they wake after it?
    is_awake: bool,
    /// Who wants a token.
    wants: Wants,
    /// Requests that the server answers in a second; others get 503.
    capacity: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wants {
    /// Nobody: the client sees to it ahead of time.
    Nobody,
    /// Each app, at once and once; after that the client's own waits count.
    Calls,
    /// Each app, each second, whatever the client's waits are.
    Insists,
}

const RUNS: [Run; 5] = [
    Run { name: "asleep, proactive only", is_awake: false, wants: Wants::Nobody, capacity: 5_000 },
    Run { name: "asleep, each app calls once", is_awake: false, wants: Wants::Calls, capacity: 5_000 },
    Run { name: "asleep, a try a second", is_awake: false, wants: Wants::Insists, capacity: 5_000 },
    Run { name: "awake, proactive only", is_awake: true, wants: Wants::Nobody, capacity: usize::MAX },
    Run { name: "awake, a try a second", is_awake: true, wants: Wants::Insists, capacity: usize::MAX },
];

const OPTIONS: &str = r#"{
    "metadata": {
        "authorization_endpoint": "https://as.example/authorize",
        "token_endpoint": "https://as.example/token"
    },
    "clientId": "spa", "redirectUri": "https://app.example/", "scope": "notes offline_access",
    "transactionStorage": "memory", "refresh": { "auto": AUTO }
}"#;

fn parse(text: &str) -> Value {
    json::parse(text.as_bytes()).expect("JSON")
}

/// What a run came to.
struct Figures {
    peak: usize,
    /// In the second after the outage's end, and all in all since then.
    first: usize,
    total: usize,
    /// Milliseconds until half of them were served, and all.
    half: i64,
    all: i64,
}

/// Signs a client in.
async fn sign_in(client: Client<Device>, sign_in: Rc<SignIn>) {
    let request = client.begin(&sign_in, Window::Popup).await.expect("a request");
    let back = format!("https://app.example/?code=c&state={}", request.state);
    client.handle_callback(&back).await.expect("signed in");
}

/// A client that tries each second, whatever the client's own waits are.
async fn insist(client: Client<Device>, world: Rc<World>) {
    let force = TokenOptions::read(&parse(r#"{"forceRefresh":true}"#)).expect("options");
    while client.token(&force).await.is_err() {
        world.sleep(SECOND).await;
    }
}

fn run(run: &Run) -> Figures {
    let world = World::new();
    let wants = run.wants;
    let options = parse(&OPTIONS.replace("AUTO", if wants == Wants::Insists { "false" } else { "true" }));
    let sign = Rc::new(SignIn::read(&parse("{}")).expect("options"));
    let clients: Vec<Client<Device>> = (0..CLIENTS)
        .map(|_| {
            let config = Config::read(&options).expect("options");
            Client::new(Device(Rc::clone(&world)), config, |_| {})
        })
        .collect();
    for client in &clients {
        world.spawn(sign_in(client.clone(), Rc::clone(&sign)));
    }
    world.advance(SECOND);
    // The machines sleep, or the server fails while the tokens come due: in both cases all are due at once.
    let (down, up) = (world.now() + 3_600 * SECOND, world.now() + 3_600 * SECOND + OUTAGE);
    world.asked.borrow_mut().clear();
    world.capacity.set(0);
    let insisting = up - 5 * SECOND;
    let wake = match (run.is_awake, wants) {
        (false, _) => up,
        (true, Wants::Insists) => insisting,
        (true, _) => down,
    };
    world.sleep_until(wake);
    world.opens_at.set(up);
    world.opens_to.set(run.capacity);
    for (position, client) in clients.iter().enumerate() {
        let (client, world_) = (client.clone(), Rc::clone(&world));
        let late = WAKING * position as i64 / CLIENTS as i64;
        world.spawn(async move {
            world_.sleep(late.max(1)).await;
            match wants {
                Wants::Nobody => client.look().await,
                Wants::Calls => drop(client.token(&TokenOptions::default()).await),
                Wants::Insists => insist(client, world_).await,
            }
        });
    }
    world.served.borrow_mut().clear();
    while world.served.borrow().len() < CLIENTS {
        world.advance(SECOND);
        assert!(world.now() < up + 3_600 * SECOND, "some are never served");
    }
    figures(&world, up)
}

fn figures(world: &World, up: i64) -> Figures {
    let (asked, served) = (world.asked.borrow(), world.served.borrow());
    let seconds: Vec<usize> = asked.range(up / SECOND..).map(|(_, count)| *count).collect();
    Figures {
        peak: seconds.iter().copied().max().unwrap_or(0),
        first: seconds.first().copied().unwrap_or(0),
        total: seconds.iter().sum(),
        half: served[CLIENTS / 2 - 1] - up,
        all: served[CLIENTS - 1] - up,
    }
}

fn main() {
    let mut table = String::from(HEAD);
    for it in &RUNS {
        let Figures { peak, first, total, half, all } = run(it);
        let capacity = if it.capacity == usize::MAX { "any".to_owned() } else { it.capacity.to_string() };
        let (half, all) = (half as f64 / 1_000.0, all as f64 / 1_000.0);
        let _ = writeln!(
            table,
            "| {} | {capacity} | {first} | {peak} | {total} | {half:.1} | {all:.1} |",
            it.name
        );
        println!("{}: peak {peak}/s, all served after {all:.1} s", it.name);
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/bench/RESULTS-fleet.md");
    std::fs::write(path, table).expect("the results are written");
}

const HEAD: &str = "\
# A fleet after an outage

100,000 clients whose access tokens have run out, and an authorization server that was down for ten minutes. *Asleep*:
all wake within one second after it is up again, and it answers 5,000 requests a second and 503 to the rest. *Awake*:
the tokens of all came due within one second when it went down, and when it is up again it answers whatever comes.
*Proactive only* and *each app calls once* are the client as it ships: what nobody asks for waits up to ten seconds after
a sleep (`src/client/watch.rs`), a call does not wait, and what fails is put off (`src/client/defer.rs`). *A try a second*
is the same client, made to refresh each second until it is served. Written by `cargo xtask bench fleet`; the clock is simulated, so that a run gives the same figures
every time.

| fleet | capacity/s | requests in the first second | peak/s | requests in all | half served after s | all after s |
|---|---|---|---|---|---|---|
";
