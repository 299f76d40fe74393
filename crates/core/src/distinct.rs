//! The distinct ids of a batch and the positions that use them. What depends only on the id is computed once.

/// Numbers the ids of a batch in order of first use. For each possible id, it stores the last batch with this id and
/// its number in that batch.
#[derive(Default)]
pub struct Distinct {
    seen: Vec<(u32, u32)>,
    batch: u32,
}

impl Distinct {
    /// For ids below `count`.
    pub fn new(count: usize) -> Self {
        Self { seen: vec![(0, 0); count], batch: 0 }
    }

    /// Starts a new batch of ids below `count`.
    pub fn begin(&mut self, count: usize) {
        if count > self.seen.len() {
            self.seen.resize(count, (0, 0));
        }
        self.batch = self.batch.wrapping_add(1);
        if self.batch == 0 {
            self.seen.fill((0, 0));
            self.batch = 1;
        }
    }

    /// The number of an id in this batch. A new id is appended to `ids`, the list of the batch's ids.
    #[inline]
    pub fn number(&mut self, id: u32, ids: &mut Vec<u32>) -> u32 {
        let seen = &mut self.seen[id as usize];
        if seen.0 != self.batch {
            *seen = (self.batch, ids.len() as u32);
            ids.push(id);
        }
        seen.1
    }
}

/// For each number, the places that have it in ascending order: `users[starts[n]..starts[n + 1]]`.
#[derive(Clone, Debug, Default)]
pub struct Users {
    starts: Vec<u32>,
    users: Vec<u32>,
}

impl Users {
    /// Indexes `numbers`, all below `count`.
    pub fn new(numbers: &[u32], count: usize) -> Self {
        let mut starts = vec![0; count + 1];
        for &number in numbers {
            starts[number as usize] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            (*start, sum) = (sum, sum + *start);
        }
        let mut users = vec![0; numbers.len()];
        for (place, &number) in numbers.iter().enumerate() {
            let next = &mut starts[number as usize];
            users[*next as usize] = place as u32;
            *next += 1;
        }
        // Each start has moved to the start of the next number.
        starts.rotate_right(1);
        starts[0] = 0;
        Self { starts, users }
    }

    /// Replaces each place with `owners[place]`. The order stays the same.
    #[must_use]
    pub fn through(mut self, owners: &[u32]) -> Self {
        self.users.iter_mut().for_each(|place| *place = owners[*place as usize]);
        self
    }

    /// The places that have a number.
    #[inline]
    pub fn of(&self, number: usize) -> &[u32] {
        &self.users[self.starts[number] as usize..self.starts[number + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_first_use_and_users_are_found_again() {
        let mut distinct = Distinct::default();
        for ids in [vec![7_u32, 2, 7, 0, 2, 7], vec![2, 2], vec![5]] {
            distinct.begin(8);
            let mut list = Vec::new();
            let numbers: Vec<u32> = ids.iter().map(|&id| distinct.number(id, &mut list)).collect();
            assert!(numbers.iter().zip(&ids).all(|(&n, &id)| list[n as usize] == id));
            let users = Users::new(&numbers, list.len());
            for (number, id) in list.iter().enumerate() {
                let places: Vec<u32> = (0..ids.len() as u32).filter(|&i| ids[i as usize] == *id).collect();
                assert_eq!(users.of(number), places);
            }
        }
    }
}
