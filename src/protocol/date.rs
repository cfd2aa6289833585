//! The date of an HTTP message (RFC 9110 5.6.7), in the one form that senders may use.

const DAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];
const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// The seconds since the epoch that an `IMF-fixdate` is, as in `Sun, 06 Nov 1994 08:49:37 GMT`; of the obsolete
/// forms none.
pub fn imf_fixdate(text: &str) -> Option<i64> {
    let octets: &[u8; 29] = text.as_bytes().try_into().ok()?;
    #[rustfmt::skip]
    let &[
        w1, w2, w3, b',', b' ', d1, d2, b' ', m1, m2, m3, b' ', y1, y2, y3, y4, b' ',
        h1, h2, b':', i1, i2, b':', s1, s2, b' ', b'G', b'M', b'T',
    ] = octets else { return None };
    let month = place(&MONTHS, [m1, m2, m3])?;
    let year = number(y1, y2)? * 100 + number(y3, y4)?;
    let (day, hour, minute, second) = (number(d1, d2)?, number(h1, h2)?, number(i1, i2)?, number(s1, s2)?);
    let days = days(year, month, day);
    let is_real = day > 0 && day <= days_of(year, month) && hour < 24 && minute < 60 && second < 60;
    let is_its = place(&DAYS, [w1, w2, w3])? == days.rem_euclid(7);
    (is_real && is_its).then_some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

fn place(names: &[&[u8; 3]], name: [u8; 3]) -> Option<i64> {
    i64::try_from(names.iter().position(|known| **known == name)?).ok()
}

fn number(tens: u8, units: u8) -> Option<i64> {
    let digit = |octet: u8| octet.checked_sub(b'0').filter(|digit| *digit <= 9).map(i64::from);
    Some(digit(tens)? * 10 + digit(units)?)
}

fn days_of(year: i64, month: i64) -> i64 {
    days(year, month + 1, 1) - days(year, month, 1)
}

/// Days since the epoch. `month` counts from zero, and may be the one after December.
///
/// Years begin in March here, so that a leap day is the last one; 153 days are five months, from any March or August.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let months = year * 12 + month - 2;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12));
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 719_469
}
