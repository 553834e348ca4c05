use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// What a graph was made of.
#[derive(Default)]
struct Given {
    size: (usize, usize),
    terminals: Vec<i32>,
    /// Two pixels and what it costs to tell them apart.
    joins: Vec<(usize, usize, i32)>,
}

impl Given {
    /// Many capacities are 0 or equal, so that there are ties and parts that nothing reaches.
    fn random(random: &mut ChaCha8Rng, width: usize, height: usize) -> (Self, Graph) {
        let mut given = Self { size: (width, height), ..Self::default() };
        let mut graph = Graph::new(width, height);
        let most = [2, 10, 1000][random.random_range(0..3)];
        for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
            let cost = random.random_range(-2 * most..=2 * most);
            let cost = if random.random_range(0..3) == 0 { 0 } else { cost };
            given.terminals.push(cost);
            graph.add_terminal((x, y), cost);
            for (to, (right, down)) in NEIGHBOURS.into_iter().enumerate().skip(4) {
                let (nx, ny) = (x.wrapping_add_signed(right), y.wrapping_add_signed(down));
                if nx < width && ny < height {
                    let capacity = random.random_range(0..=most);
                    given.joins.push((y * width + x, ny * width + nx, capacity));
                    graph.join((x, y), to, capacity);
                }
            }
        }
        (given, graph)
    }

    fn cost(&self, is_source: impl Fn(usize) -> bool) -> i64 {
        // To the sink's side goes a pixel at its cost, where that is above 0; else it is what the other
        // side costs.
        let sides = self.terminals.iter().enumerate().map(|(at, &cost)| match is_source(at) {
            true => i64::from(-cost).max(0),
            false => i64::from(cost).max(0),
        });
        let apart = self.joins.iter().filter(|&&(a, b, _)| is_source(a) != is_source(b));
        sides.sum::<i64>() + apart.map(|&(_, _, capacity)| i64::from(capacity)).sum::<i64>()
    }

    fn cost_of(&self, graph: &Graph) -> i64 {
        self.cost(|at| graph.is_source((at % self.size.0, at / self.size.0)))
    }
}

#[test]
fn the_cut_is_the_cheapest_of_all() {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    for _ in 0..600 {
        let (width, height) =
            [(1, 1), (1, 7), (5, 1), (2, 2), (3, 3), (4, 3), (2, 6)][random.random_range(0..7)];
        let (given, mut graph) = Given::random(&mut random, width, height);
        graph.cut();
        let all = 0u32..1 << (width * height);
        let cheapest = all.map(|sides| given.cost(|at| sides >> at & 1 == 1)).min();
        assert_eq!(Some(given.cost_of(&graph)), cheapest, "{width} × {height}");
    }
}

/// Where all cuts are too many to try: no flow is larger than any cut, so that a cut that costs what flows
/// is the smallest.
#[test]
fn the_cut_of_a_large_graph_costs_what_flows() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..20 {
        let (given, mut graph) = Given::random(&mut random, 31, 23);
        graph.cut();
        let left = |at: usize| graph.nodes[graph.index(at % 31, at / 31)].terminal;
        let flows: i64 = (0..31 * 23)
            .filter(|&at| given.terminals[at] > 0)
            .map(|at| i64::from(given.terminals[at] - left(at)))
            .sum();
        assert!(graph.nodes.iter().all(|node| node.residual.iter().all(|&left| left >= 0)));
        assert_eq!(given.cost_of(&graph), flows);
    }
}

#[test]
fn a_cut_after_a_change_is_that_of_a_new_graph() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    for _ in 0..50 {
        let (mut given, mut graph) = Given::random(&mut random, 4, 3);
        for _ in 0..5 {
            graph.cut();
            let cheapest = (0u32..1 << 12).map(|sides| given.cost(|at| sides >> at & 1 == 1)).min();
            assert_eq!(Some(given.cost_of(&graph)), cheapest);
            for at in 0..12 {
                let more = random.random_range(-9..=9);
                given.terminals[at] += more;
                graph.add_terminal((at % 4, at / 4), more);
            }
        }
    }
}
