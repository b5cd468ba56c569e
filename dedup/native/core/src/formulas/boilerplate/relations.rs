//! How two articles are related apart from the cluster that is judged: by all their words, or only
//! by their own where the words that many articles hold may be the furniture of a page.

/// Two articles that share less than the first part of the shorter rest are unrelated, and two that
/// share more than the second part tell the same story.
const UNRELATED: f64 = 0.2;
const RELATED: f64 = 0.5;
/// An article has a story of its own if it has this many words that few articles hold, and they are
/// this part of it: half, but among pages of one site, where furniture is likelier than reprints, a
/// fifth.
const OWN_WORDS: u32 = 20;
const OWN_SHARE: f64 = 0.5;
const OWN_SHARE_OF_SITE: f64 = 0.2;

/// An article as its words by cluster, without known boilerplate.
#[derive(Default)]
pub struct Rest {
    pub source: Option<u32>,
    pub words: u32,
    /// Words of paragraphs that few articles hold.
    pub own: u32,
    /// The other words, by weight.
    pub common: f64,
    /// By key, each once.
    pub parts: Vec<Part>,
}

pub struct Part {
    /// Representative of the cluster, or the distinct itself.
    pub key: u32,
    pub words: u32,
    pub is_own: bool,
}

impl Rest {
    pub fn words_of(&self, key: u32) -> u32 {
        let at = self.parts.binary_search_by_key(&key, |part| part.key);
        at.map_or(0, |at| self.parts[at].words)
    }
}

/// An article beside the cluster that is judged.
#[derive(Clone, Copy)]
pub struct Beside<'a> {
    pub rest: &'a Rest,
    pub words: u32,
    pub common: f64,
}

impl Beside<'_> {
    /// Whether its own words make a story.
    fn has_story(&self, is_one_site: bool) -> bool {
        let share = if is_one_site {
            OWN_SHARE_OF_SITE
        } else {
            OWN_SHARE
        };
        let own = f64::from(self.rest.own);
        self.rest.own >= OWN_WORDS && own >= share * (own + self.common)
    }
}

/// Words that two articles share.
#[derive(Clone, Copy, Default)]
pub struct Shared {
    pub all: u32,
    /// In paragraphs that few articles hold.
    pub own: u32,
}

impl Shared {
    pub fn without(self, words: u32) -> Self {
        Self {
            all: self.all - words,
            ..self
        }
    }
}

/// What each article shares with each one before it.
pub fn share_all(rests: &[Rest]) -> Vec<Vec<Shared>> {
    let row = |(i, rest)| rests[..i].iter().map(|other| share(other, rest)).collect();
    rests.iter().enumerate().map(row).collect()
}

fn share(left: &Rest, right: &Rest) -> Shared {
    let mut shared = Shared::default();
    let mut others = right.parts.iter().peekable();
    for part in &left.parts {
        while others.next_if(|other| other.key < part.key).is_some() {}
        if let Some(other) = others.next_if(|other| other.key == part.key) {
            let words = part.words.min(other.words);
            shared.all += words;
            shared.own += if part.is_own { words } else { 0 };
        }
    }
    shared
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relation {
    Unrelated,
    Between,
    Related,
}

/// How two articles are related; nothing if that cannot be told, as one of them is nothing but
/// furniture.
pub fn relate(left: Beside<'_>, right: Beside<'_>, shared: Shared) -> Option<Relation> {
    let shorter = left.words.min(right.words);
    if shorter == 0 {
        return (left.words == right.words).then_some(Relation::Related);
    }
    let by_all = by_share(shared.all, shorter);
    if by_all == Relation::Unrelated {
        return Some(by_all);
    }
    let source = left.rest.source;
    let is_one_site = source == right.rest.source && source.is_some();
    match (left.has_story(is_one_site), right.has_story(is_one_site)) {
        (true, true) => Some(by_share(shared.own, left.rest.own.min(right.rest.own))),
        (false, false) => Some(by_all),
        _ => None,
    }
}

fn by_share(shared: u32, words: u32) -> Relation {
    let share = f64::from(shared) / f64::from(words);
    if share < UNRELATED {
        Relation::Unrelated
    } else if share < RELATED {
        Relation::Between
    } else {
        Relation::Related
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(parts: &[(u32, u32, bool)]) -> Rest {
        let part = |&(key, words, is_own)| Part { key, words, is_own };
        Rest {
            words: parts.iter().map(|part| part.1).sum(),
            own: parts.iter().filter(|part| part.2).map(|part| part.1).sum(),
            parts: parts.iter().map(part).collect(),
            ..Rest::default()
        }
    }

    #[test]
    fn articles_share_the_words_that_both_hold_of_a_cluster() {
        let left = rest(&[(1, 10, false), (4, 7, true), (6, 3, false), (9, 2, true)]);
        let right = rest(&[(0, 5, true), (1, 8, false), (4, 9, true), (9, 2, true)]);
        for (one, other) in [(&left, &right), (&right, &left)] {
            let shared = share(one, other);
            assert_eq!((shared.all, shared.own), (8 + 7 + 2, 7 + 2));
        }
    }

    fn relation(left: &[(u32, u32, bool)], right: &[(u32, u32, bool)]) -> Option<Relation> {
        let (left, right) = (rest(left), rest(right));
        let shared = share(&left, &right);
        let beside = |rest| Beside {
            rest,
            words: rest.words,
            common: f64::from(rest.words - rest.own),
        };
        relate(beside(&left), beside(&right), shared)
    }

    #[test]
    fn what_many_articles_hold_makes_no_story_of_two_that_have_their_own() {
        let furniture = (1, 60, false);
        let story = |key| (key, 70, true);
        let of_own = relation(&[furniture, story(2)], &[furniture, story(3)]);
        assert_eq!(of_own, Some(Relation::Unrelated));
        let lead = |key| (key, 10, true);
        let reprints = relation(&[furniture, lead(2)], &[furniture, lead(3)]);
        assert_eq!(reprints, Some(Relation::Related));
        let same_story = relation(&[furniture, story(2)], &[furniture, story(2)]);
        assert_eq!(same_story, Some(Relation::Related));
    }

    #[test]
    fn a_page_of_nothing_but_furniture_says_nothing_of_one_with_a_story() {
        let furniture = (1, 60, false);
        assert_eq!(relation(&[furniture, (2, 70, true)], &[furniture]), None);
        assert_eq!(relation(&[furniture], &[]), None);
        assert_eq!(relation(&[], &[]), Some(Relation::Related));
    }
}
