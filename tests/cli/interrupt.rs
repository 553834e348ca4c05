//! Ctrl-C ends a run so that it can go on, and what went on ends where it would have ended.
#![cfg(unix)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::data::Sample;
use crate::process::{arguments, events, events_of, program, run};

/// Steps enough that the signal arrives in the middle, few enough to be finished afterwards.
const TRAIN: &str = "train {data} --out {run} --backbone tiny --device cpu --batch 2 --size 64 --seed 3";

#[test]
fn a_plain_run_goes_on_where_ctrl_c_ended_it() {
    interrupt(&format!("{TRAIN} --method cam --epochs 20"), 0);
}

#[test]
fn a_round_of_spatial_bce_goes_on_where_ctrl_c_ended_it() {
    interrupt(&format!("{TRAIN} --method spatial-bce --epochs 12 --rounds 1"), 1);
}

/// Interrupts in `round`, resumes, and checks that every step was taken once.
fn interrupt(line: &str, round: u64) {
    let sample = Sample::new();
    let (data, out) = (sample.data(), sample.path("run"));
    let paths = [("data", data.as_path()), ("run", out.as_path())];

    let mut child = program()
        .args(arguments(line, &paths))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    wait_for(&mut child, &out, |event| event["event"] == "losses" && event["round"] == round);
    let kill = Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status().unwrap();
    assert!(kill.success());
    let status = child.wait().unwrap();
    assert!(status.code().is_some(), "the signal ended the process before it had saved: {status}");

    let stopped = events(&out);
    assert_eq!(events_of(&stopped, "stopped").count(), 1, "it stopped in the middle: {:?}", stopped.last());
    assert_eq!(events_of(&stopped, "training-finished").count(), 0);

    run(&format!("{line} --resume"), &paths).succeeded();
    let all = events(&out);
    assert_eq!(events_of(&all, "training-finished").count(), 1);
    let resumed = events_of(&all, "run-started").nth(1).expect("the second start is told");
    assert!(resumed["done_steps"].as_u64().unwrap() > 0, "{resumed}");

    let steps_of = |round: u64| {
        let points = events_of(&all, "losses").filter(|event| event["round"] == round);
        let points = points.flat_map(|event| event["points"].as_array().unwrap());
        points.map(|point| point["step"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let mut total = 0;
    for round in 0..=round {
        let started = events_of(&all, "round-started").find(|event| event["round"] == round).unwrap();
        let steps = started["steps"].as_u64().unwrap();
        assert_eq!(
            steps_of(round),
            (0..steps).collect::<Vec<_>>(),
            "round {round}: each step once, in order"
        );
        total += steps;
    }
    assert_eq!(resumed["total_steps"], total);

    // Nothing is left to do: going on once more is no error and takes no step.
    run(&format!("{line} --resume"), &paths).succeeded();
    assert_eq!(events_of(&events(&out), "losses").count(), events_of(&all, "losses").count());
}

/// Follows the run's events until one fits.
pub fn wait_for(child: &mut Child, run: &Path, fits: impl Fn(&Value) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let text = std::fs::read_to_string(run.join("events.jsonl")).unwrap_or_default();
        // The last line may be half written.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        if whole.lines().filter_map(|line| serde_json::from_str(line).ok()).any(|event| fits(&event)) {
            return;
        }
        if let Some(status) = child.try_wait().unwrap() {
            panic!("the run ended before it could be interrupted: {status}");
        }
        assert!(Instant::now() < deadline, "the event did not come");
        std::thread::sleep(Duration::from_millis(10));
    }
}
