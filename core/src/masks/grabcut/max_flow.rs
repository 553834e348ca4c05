//! The smallest cut of a graph over the pixels of a rectangle: Boykov and Kolmogorov, "An Experimental
//! Comparison of Min-Cut/Max-Flow Algorithms for Energy Minimization in Vision", TPAMI 2004.
//!
//! Two trees of pixels that have capacity left grow from the source and from the sink. Where they touch there
//! is a path, and as much flows along it as it takes; pixels that this tears off their tree find a new
//! parent in it, or are free again. Trees are kept from path to path, and a pixel remembers how far it is from
//! its terminal, which keeps paths short. Capacities are whole numbers, so that the cut is exact and the
//! search ends.

use std::collections::VecDeque;

/// Directions to the neighbours of a pixel as steps to the right and down. Opposite ones add up to 7.
pub const NEIGHBOURS: [(isize, isize); 8] =
    [(-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1)];

/// In place of a direction to a parent: it is the terminal itself.
const TERMINAL: u8 = 8;
/// In place of a direction to a parent: it has none (any more).
const NONE: u8 = 9;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tree {
    Free,
    Source,
    Sink,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    /// What can still flow to each neighbour.
    residual: [i32; 8],
    /// What can still flow from the source, above 0; or to the sink, below 0.
    terminal: i32,
    /// When `distance` was last known to be right.
    time: u32,
    /// Steps to the terminal of its tree.
    distance: u32,
    tree: Tree,
    /// Direction of its parent, [`TERMINAL`] or [`NONE`].
    parent: u8,
    /// Whether it waits to grow.
    waits: bool,
}

const EMPTY: Node = Node {
    residual: [0; 8],
    terminal: 0,
    time: 0,
    distance: 0,
    tree: Tree::Free,
    parent: NONE,
    waits: false,
};

/// A graph whose nodes are the pixels of a rectangle, each joined to its 8 neighbours, to a source and to a
/// sink.
pub struct Graph {
    /// Columns, with one more on each side that nothing flows to.
    stride: usize,
    /// `[height + 2, stride]`.
    nodes: Vec<Node>,
    /// What is added to a node's index to get to its neighbours.
    steps: [isize; 8],
    /// Nodes that may grow, first come first served.
    active: VecDeque<usize>,
    /// Nodes that lost their parent.
    orphans: VecDeque<usize>,
    /// Counts paths.
    time: u32,
}

impl Graph {
    /// No capacities yet.
    pub fn new(width: usize, height: usize) -> Self {
        let stride = width + 2;
        Self {
            stride,
            nodes: vec![EMPTY; stride * (height + 2)],
            steps: NEIGHBOURS.map(|(x, y)| y * stride as isize + x),
            active: VecDeque::new(),
            orphans: VecDeque::new(),
            time: 0,
        }
    }

    /// Makes it cost `more` for a pixel to be on the sink's side rather than on the source's; less below 0.
    /// All that was added to a pixel must lie within 2²⁹ of 0. It may be changed between two cuts: what flows
    /// already still flows (Kohli and Torr, "Dynamic Graph Cuts", TPAMI 2007), so that the second is found
    /// sooner.
    pub fn add_terminal(&mut self, (x, y): (usize, usize), more: i32) {
        let at = self.index(x, y);
        self.nodes[at].terminal += more;
    }

    /// Joins a pixel with its neighbour in direction `to` of [`NEIGHBOURS`], which must be in the rectangle:
    /// to part them costs `capacity`, 0 to 2²⁶. Only before the first cut.
    pub fn join(&mut self, (x, y): (usize, usize), to: usize, capacity: i32) {
        let at = self.index(x, y);
        let neighbour = self.step(at, to);
        self.nodes[at].residual[to] = capacity;
        self.nodes[neighbour].residual[7 - to] = capacity;
    }

    /// Finds the smallest cut; [`Self::is_source`] then tells the sides.
    pub fn cut(&mut self) {
        self.time = 0;
        for at in 0..self.nodes.len() {
            let node = &mut self.nodes[at];
            node.tree = match node.terminal {
                0 => Tree::Free,
                1.. => Tree::Source,
                _ => Tree::Sink,
            };
            (node.parent, node.time, node.distance) = (TERMINAL, 0, 1);
            if node.terminal == 0 {
                node.parent = NONE;
            } else {
                self.wake(at);
            }
        }
        while let Some(at) = self.active.pop_front() {
            self.nodes[at].waits = false;
            // As long as it finds paths, and after each its tree may have lost it.
            while self.nodes[at].tree != Tree::Free
                && let Some((from, to)) = self.grow(at)
            {
                self.time += 1;
                self.augment(from, to);
                while let Some(orphan) = self.orphans.pop_front() {
                    self.adopt(orphan);
                }
            }
        }
    }

    /// Whether a pixel is on the source's side of the cut that [`Self::cut`] found: of several equally small
    /// ones, that with the fewest pixels there.
    pub fn is_source(&self, (x, y): (usize, usize)) -> bool {
        self.nodes[self.index(x, y)].tree == Tree::Source
    }

    fn index(&self, x: usize, y: usize) -> usize {
        (y + 1) * self.stride + x + 1
    }

    /// The neighbour of a node inside the rectangle. The frame around it is never left, as nothing flows there.
    fn step(&self, at: usize, to: usize) -> usize {
        at.wrapping_add_signed(self.steps[to])
    }

    /// What can flow between a node of `tree` and its neighbour, in the direction away from the terminal for
    /// the source's tree, and towards it for the sink's.
    fn capacity(&self, tree: Tree, at: usize, to: usize, neighbour: usize) -> i32 {
        if tree == Tree::Source {
            self.nodes[at].residual[to]
        } else {
            self.nodes[neighbour].residual[7 - to]
        }
    }

    fn wake(&mut self, at: usize) {
        if !std::mem::replace(&mut self.nodes[at].waits, true) {
            self.active.push_back(at);
        }
    }

    /// Takes the free neighbours of a node into its tree. Where it meets the other tree: the node of the
    /// source's tree and the direction to that of the sink's.
    fn grow(&mut self, at: usize) -> Option<(usize, usize)> {
        let Node { tree, time, distance, .. } = self.nodes[at];
        for to in 0..8 {
            let neighbour = self.step(at, to);
            if self.capacity(tree, at, to, neighbour) == 0 {
                continue;
            }
            let other = &mut self.nodes[neighbour];
            if other.tree == Tree::Free {
                (other.tree, other.parent) = (tree, 7 - to as u8);
                (other.time, other.distance) = (time, distance + 1);
                self.wake(neighbour);
            } else if other.tree != tree {
                return Some(if tree == Tree::Source { (at, to) } else { (neighbour, 7 - to) });
            } else if other.time <= time && other.distance > distance + 1 {
                // A shorter way to the terminal.
                other.parent = 7 - to as u8;
                (other.time, other.distance) = (time, distance + 1);
            }
        }
        None
    }

    /// Lets as much flow as the path takes that leads from the source to `from`, on in direction `to`, and to
    /// the sink. Where it takes no more, nodes become orphans.
    fn augment(&mut self, from: usize, to: usize) {
        let beyond = self.step(from, to);
        let mut flow = self.nodes[from].residual[to];
        for (tree, start) in [(Tree::Source, from), (Tree::Sink, beyond)] {
            let mut at = start;
            while self.nodes[at].parent != TERMINAL {
                let up = usize::from(self.nodes[at].parent);
                let parent = self.step(at, up);
                flow = flow.min(self.capacity(tree, parent, 7 - up, at));
                at = parent;
            }
            flow = flow.min(self.nodes[at].terminal.abs());
        }
        self.nodes[from].residual[to] -= flow;
        self.nodes[beyond].residual[7 - to] += flow;
        for (tree, start) in [(Tree::Source, from), (Tree::Sink, beyond)] {
            let mut at = start;
            while self.nodes[at].parent != TERMINAL {
                let up = usize::from(self.nodes[at].parent);
                let parent = self.step(at, up);
                let (away, back) = if tree == Tree::Source { (parent, at) } else { (at, parent) };
                let direction = if tree == Tree::Source { 7 - up } else { up };
                self.nodes[away].residual[direction] -= flow;
                self.nodes[back].residual[7 - direction] += flow;
                if self.nodes[away].residual[direction] == 0 {
                    self.lose_parent(at);
                }
                at = parent;
            }
            self.nodes[at].terminal -= self.nodes[at].terminal.signum() * flow;
            if self.nodes[at].terminal == 0 {
                self.lose_parent(at);
            }
        }
    }

    fn lose_parent(&mut self, at: usize) {
        self.nodes[at].parent = NONE;
        self.orphans.push_back(at);
    }

    /// Finds a new parent for a node without one, the nearest to the terminal; or sets it free, and its
    /// children with it.
    fn adopt(&mut self, at: usize) {
        let tree = self.nodes[at].tree;
        let mut best: Option<(u32, usize)> = None;
        for to in 0..8 {
            let neighbour = self.step(at, to);
            if self.nodes[neighbour].tree == tree
                && self.capacity(tree, neighbour, 7 - to, at) > 0
                && let Some(distance) = self.distance(neighbour)
                && best.is_none_or(|(nearest, _)| distance < nearest)
            {
                best = Some((distance, to));
            }
        }
        if let Some((distance, to)) = best {
            let node = &mut self.nodes[at];
            (node.parent, node.time, node.distance) = (to as u8, self.time, distance + 1);
            return;
        }
        for to in 0..8 {
            let neighbour = self.step(at, to);
            if self.nodes[neighbour].tree != tree {
                continue;
            }
            if self.capacity(tree, neighbour, 7 - to, at) > 0 {
                self.wake(neighbour);
            }
            if usize::from(self.nodes[neighbour].parent) == 7 - to {
                self.lose_parent(neighbour);
            }
        }
        (self.nodes[at].tree, self.nodes[at].parent) = (Tree::Free, NONE);
    }

    /// Steps from a node to its terminal; `None` when its tree has lost it. What was found is kept on the way.
    fn distance(&mut self, start: usize) -> Option<u32> {
        let (mut at, mut steps) = (start, 0);
        let total = loop {
            let node = &mut self.nodes[at];
            if node.time == self.time && node.parent != NONE {
                break steps + node.distance;
            }
            match node.parent {
                NONE => return None,
                TERMINAL => {
                    (node.time, node.distance) = (self.time, 1);
                    break steps + 1;
                }
                up => at = self.step(at, usize::from(up)),
            }
            steps += 1;
        };
        let (mut at, mut left) = (start, total);
        while self.nodes[at].time != self.time {
            (self.nodes[at].time, self.nodes[at].distance) = (self.time, left);
            left -= 1;
            at = self.step(at, usize::from(self.nodes[at].parent));
        }
        Some(total)
    }
}

#[cfg(test)]
mod tests;
