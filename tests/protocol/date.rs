//! Dates of HTTP messages.

use proptest::prelude::*;
use wardkey::protocol::date::imf_fixdate;

#[test]
fn dates_are_what_they_say() {
    for (text, seconds) in [
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
        // RFC 9110 5.6.7.
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
        ("Mon, 28 Feb 2000 23:59:59 GMT", 951_782_399),
        ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400),
        ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
        ("Mon, 21 Sep 2026 14:13:20 GMT", 1_790_000_000),
        ("Sun, 28 Feb 2100 23:59:59 GMT", 4_107_542_399),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
        ("Mon, 01 Jan 0001 00:00:00 GMT", -62_135_596_800),
    ] {
        assert_eq!(imf_fixdate(text), Some(seconds), "{text}");
    }
}

#[test]
fn nothing_else_is_a_date() {
    for text in [
        "",
        "Mon, 21 Sep 2026 14:13:20",
        "Mon, 21 Sep 2026 14:13:20 UTC",
        "Mon, 21 Sep 2026 14:13:20 gmt",
        "Mon, 21 Sep 2026 14:13:20 GMT ",
        " Mon, 21 Sep 2026 14:13:20 GMT",
        "Mon, 21 Sep 2026 14:13:20 GMT, Mon, 21 Sep 2026 14:13:20 GMT",
        "Mon,  1 Sep 2026 14:13:20 GMT",
        "Mon 21 Sep 2026 14:13:20 GMT.",
        "mon, 21 Sep 2026 14:13:20 GMT",
        "Mon, 21 sep 2026 14:13:20 GMT",
        "Mon, 21-Sep-2026 14:13:20 GMT",
        "Tue, 21 Sep 2026 14:13:20 GMT",
        "Xxx, 21 Sep 2026 14:13:20 GMT",
        "Mon, 21 Xxx 2026 14:13:20 GMT",
        "Mon, 21 Sep 2026 24:13:20 GMT",
        "Mon, 21 Sep 2026 14:60:20 GMT",
        "Mon, 21 Sep 2026 14:13:60 GMT",
        "Mon, 21 Sep 2026 -4:13:20 GMT",
        "Mon, 21 Sep +026 14:13:20 GMT",
        "Mon, 21 Sep 2026 14:13:2\u{b2} GMT",
        "Mon, 21 Sep 2026 14:13:\u{662} GMT",
        // Days that there are not, with the names that they would have.
        "Mon, 00 Sep 2026 14:13:20 GMT",
        "Thu, 31 Sep 2026 14:13:20 GMT",
        "Sun, 29 Feb 2026 14:13:20 GMT",
        "Mon, 29 Feb 2100 14:13:20 GMT",
        "Fri, 32 Jan 2026 14:13:20 GMT",
        "Sun, 32 Dec 2026 14:13:20 GMT",
        // RFC 850, asctime, and dates of elsewhere.
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "2026-09-21T14:13:20Z",
        "1790000000",
    ] {
        assert_eq!(imf_fixdate(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_a_date_or_none(text in ".{0,40}") {
        let _ = imf_fixdate(&text);
    }

    #[test]
    fn a_day_is_86400_seconds(day in 1_i64..28, hour in 0_i64..24) {
        // February 2027 begins on a Monday.
        let name = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][(day % 7) as usize];
        let text = format!("{name}, {day:02} Feb 2027 {hour:02}:00:00 GMT");
        prop_assert_eq!(imf_fixdate(&text), Some(1_801_440_000 + (day - 1) * 86_400 + hour * 3600));
    }
}
