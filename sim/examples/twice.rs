use std::{fs::File, io::BufWriter, sync::Mutex};
fn main() {
    let mut args = std::env::args().skip(1);
    let seed: u64 = args.next().unwrap().parse().unwrap();
    let end = seed + args.next().map_or(1, |t| t.parse().unwrap());
    let mut bad = vec![];
    for seed in seed..end {
        let a = althing_sim::run(seed, None);
        let b = althing_sim::run(seed, None);
        if a != b {
            bad.push(seed);
        }
    }
    println!("differ: {bad:?}");
    if let [seed] = bad[..] {
        for run in 0..2 {
            let file = File::create(format!("/tmp/agree-trace-{run}")).unwrap();
            let sub = tracing_subscriber::fmt()
                .with_ansi(false)
                .without_time()
                .with_max_level(tracing::Level::TRACE)
                .with_writer(Mutex::new(BufWriter::new(file)))
                .finish();
            let _ = tracing::subscriber::with_default(sub, || althing_sim::run(seed, None));
        }
    }
}
