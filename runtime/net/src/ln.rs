//! A natural logarithm made of additions, multiplications and divisions alone.
//!
//! Those are exact to the last bit on every machine; the logarithm of a system's library is not, and a seed must fix
//! every byte of a run everywhere.

/// The natural logarithm of a positive normal number, with a relative error below 1e-14.
pub(crate) fn ln(x: f64) -> f64 {
    const LN_2: f64 = std::f64::consts::LN_2;
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i64 - 1023;
    let mut mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    // ln m = 2 artanh((m - 1) / (m + 1)), whose series is short: the argument is below 0.172.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let series = (0..12).rev().fold(0.0, |sum, k| sum * square + 1.0 / f64::from(2 * k + 1));
    2.0 * s * series + exponent as f64 * LN_2
}

#[cfg(test)]
mod tests {
    use super::ln;

    #[test]
    fn agrees_with_the_system() {
        for i in 1..100_000_u32 {
            let x = f64::from(i) / 100_000.0;
            let error = (ln(x) - x.ln()).abs();
            assert!(error <= 1e-14 * x.ln().abs(), "ln {x}: {error}");
        }
        assert!((ln(f64::from_bits(1 << 52)) - f64::MIN_POSITIVE.ln()).abs() < 1e-10);
        assert_eq!(ln(1.0), 0.0);
    }

    #[test]
    fn is_the_same_to_the_last_bit() {
        let bits: Vec<u64> = [0.001, 0.3, 0.5, 0.9, 3.0].into_iter().map(|x| ln(x).to_bits()).collect();
        assert_eq!(
            bits,
            [
                0xC01B_A18A_998F_FFA0,
                0xBFF3_4378_FCBD_A720,
                0xBFE6_2E42_FEFA_39EF,
                0xBFBA_F8E8_210A_415B,
                0x3FF1_93EA_7AAD_030A,
            ]
        );
    }
}
