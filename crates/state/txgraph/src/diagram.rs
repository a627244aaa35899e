use std::cmp::Ordering;

use crate::FeeSize;

/// The fee-rate diagram of chunks: running sums, from zero, over chunks in falling order of rate.
pub fn diagram_points(mut chunks: Vec<FeeSize>) -> Vec<FeeSize> {
    chunks.sort_by(|a, b| b.compare_rate(a));
    let mut sum = FeeSize::EMPTY;
    let mut points = vec![sum];
    points.extend(chunks.into_iter().map(|c| {
        sum += c;
        sum
    }));
    points
}

/// Height of the diagram at `size`, times the width of the segment it lies on: `(fee * width, width)`.
fn height(points: &[FeeSize], size: i64) -> (i128, i128) {
    let next = points.partition_point(|p| p.size < size);
    match (points.get(next), next) {
        // Beyond the end a diagram stays flat.
        (None, _) => (points.last().map_or(0, |p| i128::from(p.fee)), 1),
        (Some(p), _) if p.size == size => (i128::from(p.fee), 1),
        (Some(p), n) => {
            let q = points[n - 1];
            let width = i128::from(p.size - q.size);
            (i128::from(q.fee) * width + i128::from(p.fee - q.fee) * i128::from(size - q.size), width)
        }
    }
}

/// Compares the diagrams of two sets of chunks: greater when the first is nowhere below and somewhere above the second,
/// `None` when each is above the other somewhere. Reference: `CompareChunks` in `src/util/feefrac.cpp`.
pub fn compare_chunks(first: Vec<FeeSize>, second: Vec<FeeSize>) -> Option<Ordering> {
    let (a, b) = (diagram_points(first), diagram_points(second));
    let (mut above, mut below) = (false, false);
    for size in a.iter().chain(&b).map(|p| p.size) {
        let ((x, w), (y, v)) = (height(&a, size), height(&b, size));
        match (x * v).cmp(&(y * w)) {
            Ordering::Greater => above = true,
            Ordering::Less => below = true,
            Ordering::Equal => {}
        }
    }
    match (above, below) {
        (true, true) => None,
        (true, false) => Some(Ordering::Greater),
        (false, true) => Some(Ordering::Less),
        (false, false) => Some(Ordering::Equal),
    }
}
