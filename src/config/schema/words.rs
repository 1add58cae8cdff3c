//! Words that a user mistypes.

/// The known word that is most similar to a misspelled one.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |candidate: &str| strsim::damerau_levenshtein(&plain(word), &plain(candidate));
    let best = known.iter().min_by_key(|candidate| distance(candidate))?;
    (distance(best) <= 1 + best.len() / 4).then_some(*best)
}

/// `; did you mean …?` with the most similar of the known words, or nothing.
pub fn did_you_mean(word: &str, known: &[&str]) -> String {
    nearest(word, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

/// A word in lower case without dashes, so that words of different styles compare equal.
pub fn plain(word: &str) -> String {
    word.replace(['_', '-'], "").to_lowercase()
}

/// The words in quotes, with commas.
pub fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}
