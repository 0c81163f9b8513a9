//! Everything that was asked of a `driven`, and what it answered.

use std::collections::BTreeMap;

use parlance_app::entropy::Entropy;
use parlance_tests::driven::{Answer, Child, Order};

/// One order and its answer; `None`: it was not answered, and may have been done or not.
#[derive(Clone, Debug)]
pub struct Asked {
    pub order: Order,
    pub answer: Option<Answer>,
}

/// By number, over all lives of the process.
#[derive(Default)]
pub struct Book {
    pub asked: BTreeMap<u64, Asked>,
    next: u64,
    messages: u32,
}

impl Book {
    /// Sends an order under a new number.
    pub fn send(&mut self, child: &mut Child, order: Order) -> u64 {
        let id = self.enter(order);
        child.send(id, &order);
        id
    }

    /// Asks and waits.
    pub fn ask(&mut self, child: &mut Child, order: Order) -> Answer {
        let id = self.enter(order);
        let answer = child.ask(id, &order);
        self.answered(id, answer.clone());
        answer
    }

    fn enter(&mut self, order: Order) -> u64 {
        self.next += 1;
        self.asked.insert(self.next, Asked { order, answer: None });
        self.next
    }

    pub fn answered(&mut self, id: u64, answer: Answer) {
        assert!(!matches!(answer, Answer::Broken(_)), "order {id} was answered {answer}");
        let asked = self.asked.get_mut(&id).expect("only what was asked is answered");
        let before = asked.answer.replace(answer);
        assert_eq!(before, None, "order {id} was answered twice");
    }

    /// A message nobody has sent yet.
    pub fn message(&mut self) -> u32 {
        self.messages += 1;
        self.messages
    }

    /// Messages are numbered from 1 to this.
    pub fn messages_told(&self) -> u32 {
        self.messages
    }

    /// The messages whose orders have no answer, or an unknown one, and that nobody asked again with an answer.
    pub fn unanswered_messages(&self) -> Vec<Order> {
        let settled = |asked: &&Asked| asked.answer.as_ref().is_some_and(Answer::is_yes);
        let known: Vec<&Order> = self.asked.values().filter(settled).map(|asked| &asked.order).collect();
        let mut open: Vec<Order> = Vec::new();
        for asked in self.asked.values().filter(|asked| !settled(asked)) {
            let message = matches!(asked.order, Order::Receive { .. } | Order::Pair { .. });
            if message && !known.contains(&&asked.order) && !open.contains(&asked.order) {
                open.push(asked.order);
            }
        }
        open
    }

    /// Something to ask, mostly messages, of one of `contacts`.
    pub fn draw(&mut self, dice: &Dice, contacts: u32, head: u64) -> Order {
        let contact = dice.below(contacts);
        match dice.below(20) {
            0..8 => Order::Receive { contact, message: self.message() },
            // The same message again.
            8 => Order::Receive { contact, message: 1 + dice.below(self.messages.max(1)) },
            9..11 => {
                let first = (contact, self.message());
                Order::Pair { first, second: ((contact + 1) % contacts, self.message()) }
            }
            11..13 => Order::Assign { contact, member: dice.below(2) },
            13 => Order::Unassign { contact },
            14..17 => Order::Close { contact },
            17 => Order::Reopen { contact },
            18 => Order::Delete { contact },
            _ => Order::Seen { contact, up_to: head },
        }
    }
}

/// Randomness from a seed.
pub struct Dice(Entropy);

impl Dice {
    /// Prints the seed: a failing run is repeated with it.
    pub fn new(seed: u64) -> Self {
        println!("seed {seed}");
        Self(Entropy::seeded(seed))
    }

    /// A number below `limit`.
    pub fn below(&self, limit: u32) -> u32 {
        u32::from_le_bytes(self.0.bytes()) % limit
    }
}
