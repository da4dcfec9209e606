use kaname_person::linkage::*;
use std::collections::{HashMap, HashSet};
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let t0 = std::time::Instant::now();
    let mut reader = csv::Reader::from_path(&path).unwrap();
    let mut records = Records::new();
    let mut truth: Vec<u32> = vec![];
    let mut row = csv::StringRecord::new();
    while reader.read_record(&mut row).unwrap() {
        let g = |i: usize| row.get(i).unwrap();
        truth.push(g(1).parse().unwrap());
        records.push(&Facts {
            given: Spelled::written(g(2)),
            middle: Spelled::written(g(3)),
            family: Spelled::written(g(4)),
            born: Born::parse(g(5)),
            sex: g(6),
            birthplace: g(7),
            house: g(8),
            street: g(9),
            town: g(10),
            postcode: g(11),
            phone: g(12),
            ..Default::default()
        });
    }
    eprintln!("read {:?}", t0.elapsed());
    let found = dedupe(&mut records);
    eprintln!("found {:?} compared {} kept {}", t0.elapsed(), found.compared, found.pairs.len());
    let mut by: HashMap<u32, Vec<u32>> = HashMap::new();
    for (i, e) in truth.iter().enumerate() {
        by.entry(*e).or_default().push(i as u32);
    }
    let total: usize = by.values().map(|v| v.len() * (v.len() - 1) / 2).sum();
    let score = |take: usize| {
        let right =
            found.pairs[..take].iter().filter(|p| truth[p.a as usize] == truth[p.b as usize]).count() as f64;
        let (p, r) = (right / take as f64, right / total as f64);
        (p, r, 2.0 * p * r / (p + r), found.pairs[take - 1].weight)
    };
    println!("balanced {:?}", score(found.balanced()));
    println!("precise .99 {:?}", score(found.precise(0.99)));
    let (mut best, mut r99) = ((0.0, 0), 0.0f64);
    let mut right = 0.0;
    for (i, p) in found.pairs.iter().enumerate() {
        right += f64::from(truth[p.a as usize] == truth[p.b as usize]);
        let (pr, re) = (right / (i + 1) as f64, right / total as f64);
        let f = 2.0 * pr * re / (pr + re);
        if f > best.0 {
            best = (f, i + 1)
        }
        if pr >= 0.99 {
            r99 = r99.max(re)
        }
    }
    println!(
        "oracle {:?} f1 {} ; recall at p.99 {r99}; truth {total}; kept recall {}",
        score(best.1),
        best.0,
        right / total as f64
    );
    let kept: HashSet<(u32, u32)> = found.pairs.iter().map(|p| (p.a, p.b)).collect();
    if std::env::args().nth(2).is_some() {
        let take = found.balanced();
        let mut n = 0;
        println!("-- wrong");
        for p in found.pairs[..take].iter().filter(|p| truth[p.a as usize] != truth[p.b as usize]).step_by(40)
        {
            n += 1;
            if n > 25 {
                break;
            }
            show(&found, &records, p);
        }
        println!("-- missed");
        n = 0;
        for p in found.pairs[take..].iter().filter(|p| truth[p.a as usize] == truth[p.b as usize]).step_by(40)
        {
            n += 1;
            if n > 25 {
                break;
            }
            show(&found, &records, p);
        }
        println!("-- not seen");
        let mut miss = 0;
        for v in by.values() {
            for i in 0..v.len() {
                for j in i + 1..v.len() {
                    if !kept.contains(&(v[i], v[j])) {
                        miss += 1;
                        if miss < 25 {
                            show(&found, &records, &Pair { a: v[i], b: v[j], weight: -99.0 });
                        }
                    }
                }
            }
        }
        println!("not seen {miss}");
    }
}
fn show(found: &Found, records: &Records, p: &Pair) {
    let e = found.explain(records, p);
    let f: Vec<String> =
        e.fields.iter().map(|f| format!("{}={}:{:.1}", f.field, f.level, f.weight)).collect();
    println!("{} {} w{:.1} {} {}", p.a, p.b, e.weight, e.rival.code(), f.join(" "));
}
