//! Going on with a file of which a part is there: what a server's answer to `Range: bytes=N-` means
//! (RFC 9110, sections 14 and 15).

/// What a server answered.
#[derive(Debug, Clone, Copy, Default)]
pub struct Answer<'a> {
    /// Its status.
    pub status: u16,
    /// The header `Content-Length`.
    pub content_length: Option<u64>,
    /// The header `Content-Range`. A page may not be shown it.
    pub content_range: Option<&'a str>,
}

/// What is to be done with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Read the body. It begins at byte `from` of the file: at 0 where the part that is there is void.
    Read {
        /// 0, or the length of the part.
        from: u64,
        /// The whole file's length, where it is told.
        total: Option<u64>,
    },
    /// The part is the whole file.
    Complete,
    /// The part is of another file: ask for the whole.
    Anew,
}

/// How an answer to a request from byte `have` on is to be taken; `have` is 0 where the whole was asked for.
///
/// # Errors
/// What the server did instead, as a clause.
pub fn next(have: u64, answer: Answer) -> Result<Next, String> {
    let range = answer.content_range.and_then(|range| range.trim().strip_prefix("bytes "));
    let (place, total) = range.and_then(|range| range.split_once('/')).unzip();
    let total: Option<u64> = total.and_then(|total| total.trim().parse().ok());
    match answer.status {
        200 => Ok(Next::Read { from: 0, total: answer.content_length }),
        206 => {
            let from = match place {
                Some(place) => place.split_once('-').and_then(|(from, _)| from.trim().parse().ok()),
                None => Some(have),
            };
            let told = answer.content_length.and_then(|rest| have.checked_add(rest));
            match from {
                Some(from) if from == have => Ok(Next::Read { from, total: total.or(told) }),
                _ if have > 0 => Ok(Next::Anew),
                _ => Err("the server sent a part of the file instead of the whole".into()),
            }
        }
        // Nothing begins there: it is all here, or the file has become another.
        416 if have > 0 => Ok(if total == Some(have) { Next::Complete } else { Next::Anew }),
        404 | 410 => Err(format!("the server does not have the file (status {})", answer.status)),
        status => Err(format!("the server answered with status {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(have: u64, status: u16, length: Option<u64>, range: Option<&str>) -> Result<Next, String> {
        next(have, Answer { status, content_length: length, content_range: range })
    }

    #[test]
    fn a_whole_file_starts_anew() {
        let whole = Next::Read { from: 0, total: Some(90) };
        assert_eq!(of(0, 200, Some(90), None), Ok(whole));
        assert_eq!(of(40, 200, Some(90), None), Ok(whole), "no ranges here, or the file has changed");
    }

    #[test]
    fn a_part_goes_on_where_the_last_one_ended() {
        let rest = Next::Read { from: 40, total: Some(90) };
        assert_eq!(of(40, 206, Some(50), Some("bytes 40-89/90")), Ok(rest));
        assert_eq!(of(40, 206, Some(50), None), Ok(rest), "the range is hidden from pages");
        assert_eq!(of(40, 206, None, Some("bytes 40-89/*")), Ok(Next::Read { from: 40, total: None }));
        for wrong in ["bytes 0-89/90", "bytes 41-89/90", "bytes x-89/90", "bytes */90"] {
            assert_eq!(of(40, 206, Some(50), Some(wrong)), Ok(Next::Anew), "{wrong}");
        }
        assert!(of(0, 206, Some(50), Some("bytes 40-89/90")).is_err());
        assert_eq!(of(u64::MAX, 206, Some(2), None), Ok(Next::Read { from: u64::MAX, total: None }));
    }

    #[test]
    fn nothing_is_left_when_all_is_there() {
        assert_eq!(of(90, 416, None, Some("bytes */90")), Ok(Next::Complete));
        assert_eq!(of(90, 416, None, Some("bytes */80")), Ok(Next::Anew));
        assert_eq!(of(90, 416, None, None), Ok(Next::Anew));
    }

    #[test]
    fn other_answers_are_named() {
        assert!(of(0, 404, Some(9), None).unwrap_err().contains("does not have the file"));
        assert!(of(40, 503, None, None).unwrap_err().contains("503"));
        assert!(of(0, 416, None, Some("bytes */0")).is_err());
    }
}
