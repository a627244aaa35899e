use grs_hashes::BlockHash;
use grs_primitives::{BlockLocator, HashedHeader};
use grs_uint::CompactTarget;

/// Blocks whose times make up the median.
pub const MEDIAN_TIME_SPAN: usize = 11;

/// A header with its ancestors. Cheap to copy: an index number and a reference to the arena, for example.
///
/// Implementations with skip pointers or an array of the active chain replace [`HeaderView::ancestor`].
pub trait HeaderView: Copy {
    /// Distance from the genesis block.
    fn height(&self) -> i32;
    /// Block hash.
    fn hash(&self) -> BlockHash;
    /// Seconds since 1970.
    fn time(&self) -> u32;
    /// Target.
    fn bits(&self) -> CompactTarget;
    /// Version.
    fn version(&self) -> i32;
    /// The block before; none for the genesis block.
    fn parent(&self) -> Option<Self>;

    /// The ancestor at a height, itself included; none for a height that is negative or above its own.
    fn ancestor(&self, height: i32) -> Option<Self> {
        if height < 0 || height > self.height() {
            return None;
        }
        let mut block = *self;
        while block.height() > height {
            block = block.parent()?;
        }
        Some(block)
    }

    /// Median of the times of this block and the ten before it, in seconds.
    fn median_time_past(&self) -> i64 {
        let mut times = [0_u32; MEDIAN_TIME_SPAN];
        let mut count = 0;
        let mut block = Some(*self);
        while let Some(b) = block
            && count < MEDIAN_TIME_SPAN
        {
            times[count] = b.time();
            count += 1;
            block = b.parent();
        }
        times[..count].sort_unstable();
        i64::from(times[count / 2])
    }
}

/// Hashes of the block and of ancestors, dense first, then in doubling steps, down to the genesis block.
/// Reference: `LocatorEntries`.
pub fn block_locator<H: HeaderView>(tip: H) -> BlockLocator {
    let mut hashes = Vec::with_capacity(32);
    let mut block = tip;
    let mut step = 1_i32;
    loop {
        hashes.push(block.hash());
        if block.height() == 0 {
            break;
        }
        match block.ancestor(block.height().saturating_sub(step).max(0)) {
            Some(b) => block = b,
            None => break,
        }
        if hashes.len() > 10 {
            step = step.saturating_mul(2);
        }
    }
    BlockLocator { hashes }
}

/// The last block that both chains share; none when even the genesis blocks differ.
pub fn last_common_ancestor<H: HeaderView>(a: H, b: H) -> Option<H> {
    let height = a.height().min(b.height());
    let (mut a, mut b) = (a.ancestor(height)?, b.ancestor(height)?);
    // Halve the distance to a height where both agree, so that long forks do not walk step by step.
    let mut step = 1;
    while a.hash() != b.hash() {
        let height = (a.height() - step).max(0);
        let (next_a, next_b) = (a.ancestor(height)?, b.ancestor(height)?);
        if next_a.hash() == next_b.hash() && a.height() - height > 1 {
            step = 1;
            (a, b) = (a.parent()?, b.parent()?);
        } else if a.height() == 0 {
            return None;
        } else {
            (a, b) = (next_a, next_b);
            step *= 2;
        }
    }
    Some(a)
}

/// Headers in a row, as a view: for tests, and for runs of headers that have no index yet.
#[derive(Clone, Debug, Default)]
pub struct HeaderList {
    first_height: i32,
    headers: Vec<HashedHeader>,
}

impl HeaderList {
    /// Empty; the first header pushed has height `first_height`.
    pub fn new(first_height: i32) -> HeaderList {
        HeaderList { first_height, headers: Vec::new() }
    }

    /// Adds the header of the next height. That it names its parent is not checked.
    pub fn push(&mut self, header: HashedHeader) {
        self.headers.push(header);
    }

    /// The header at a height.
    pub fn at(&self, height: i32) -> Option<ListedHeader<'_>> {
        let index = usize::try_from(height.checked_sub(self.first_height)?).ok()?;
        (index < self.headers.len()).then_some(ListedHeader { list: self, index })
    }

    /// The last header.
    pub fn tip(&self) -> Option<ListedHeader<'_>> {
        self.headers.len().checked_sub(1).map(|index| ListedHeader { list: self, index })
    }
}

/// A header of a [`HeaderList`].
#[derive(Clone, Copy, Debug)]
pub struct ListedHeader<'a> {
    list: &'a HeaderList,
    index: usize,
}

impl ListedHeader<'_> {
    fn header(&self) -> &HashedHeader {
        &self.list.headers[self.index]
    }
}

impl HeaderView for ListedHeader<'_> {
    fn height(&self) -> i32 {
        self.list.first_height + self.index as i32
    }
    fn hash(&self) -> BlockHash {
        self.header().hash()
    }
    fn time(&self) -> u32 {
        self.header().time
    }
    fn bits(&self) -> CompactTarget {
        self.header().bits
    }
    fn version(&self) -> i32 {
        self.header().version
    }
    fn parent(&self) -> Option<Self> {
        self.index.checked_sub(1).map(|index| ListedHeader { list: self.list, index })
    }
    fn ancestor(&self, height: i32) -> Option<Self> {
        if height > self.height() { None } else { self.list.at(height) }
    }
}

#[cfg(test)]
mod tests {
    use grs_primitives::Header;

    use super::*;

    fn chain(first: i32, times: &[u32]) -> HeaderList {
        let mut list = HeaderList::new(first);
        for (i, time) in times.iter().enumerate() {
            list.push(HashedHeader::new(Header { time: *time, nonce: i as u32, ..Header::default() }));
        }
        list
    }

    #[test]
    fn median_of_up_to_eleven() {
        let list = chain(0, &[50, 10, 30, 20, 60, 70, 80, 90, 100, 110, 120, 130]);
        let median = |h: i32| list.at(h).unwrap().median_time_past();
        assert_eq!((median(0), median(1), median(2), median(3)), (50, 50, 30, 30));
        assert_eq!(median(10), 70);
        assert_eq!(median(11), 80);
    }

    #[test]
    fn locator_steps() {
        let list = chain(0, &[0; 200]);
        let tip = list.tip().unwrap();
        let locator = block_locator(tip);
        let heights: Vec<i32> = locator
            .hashes
            .iter()
            .map(|h| (0..200).find(|i| list.at(*i).unwrap().hash() == *h).unwrap())
            .collect();
        let expected =
            [199, 198, 197, 196, 195, 194, 193, 192, 191, 190, 189, 188, 186, 182, 174, 158, 126, 62, 0];
        assert_eq!(heights, expected);
    }

    #[test]
    fn default_ancestor_walks() {
        let list = chain(5, &[1, 2, 3]);
        let tip = list.tip().unwrap();
        assert_eq!(tip.height(), 7);
        assert_eq!(tip.ancestor(5).unwrap().time(), 1);
        assert!(tip.ancestor(4).is_none() && tip.ancestor(8).is_none() && tip.ancestor(-1).is_none());
    }

    /// Two branches as paths in one arena.
    #[derive(Clone, Copy)]
    struct Node<'a>(&'a [(Option<usize>, HashedHeader)], usize);
    impl HeaderView for Node<'_> {
        fn height(&self) -> i32 {
            self.parent().map_or(0, |p| p.height() + 1)
        }
        fn hash(&self) -> BlockHash {
            self.0[self.1].1.hash()
        }
        fn time(&self) -> u32 {
            0
        }
        fn bits(&self) -> CompactTarget {
            CompactTarget(0)
        }
        fn version(&self) -> i32 {
            0
        }
        fn parent(&self) -> Option<Self> {
            self.0[self.1].0.map(|p| Node(self.0, p))
        }
    }

    #[test]
    fn fork_points() {
        for fork in [0_usize, 1, 7, 19] {
            for branch in [0_usize, 1, 2, 9, 30] {
                let mut arena: Vec<(Option<usize>, HashedHeader)> = Vec::new();
                let mut add = |parent: Option<usize>| {
                    let nonce = arena.len() as u32;
                    arena.push((parent, HashedHeader::new(Header { nonce, ..Header::default() })));
                    arena.len() - 1
                };
                let mut a = add(None);
                for _ in 0..fork {
                    a = add(Some(a));
                }
                let (mut b, common) = (a, a);
                for _ in 0..20 {
                    a = add(Some(a));
                }
                for _ in 0..branch {
                    b = add(Some(b));
                }
                let found = last_common_ancestor(Node(&arena, a), Node(&arena, b)).unwrap();
                assert_eq!(found.1, common, "fork {fork} branch {branch}");
            }
        }
    }
}
