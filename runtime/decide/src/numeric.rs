//! Numbers without formulas: integrals, roots and least values, deterministic and bounded in work.
//!
//! Where a closed form exists the crate uses it and a test compares it with these.

/// The most halvings of one integral, all pieces together.
const HALVINGS_MAX: usize = 4000;

/// The most halvings of one bisection: enough to exhaust the digits of an `f64`.
const BISECTIONS_MAX: u32 = 2000;

/// Accuracy of an integral, relative to that of the function's absolute value.
const INTEGRAL_ACCURACY: f64 = 1e-12;

/// The integral of `f` from `a` to `b`, by Gauss-Kronrod with 15 points and bisection where it is rough.
///
/// Kinks of `f` inside `(a, b)` should be listed: they become ends of pieces.
pub fn integral(f: &dyn Fn(f64) -> f64, a: f64, b: f64, kinks: &[f64]) -> f64 {
    if b <= a {
        return 0.0;
    }
    let mut ends: Vec<f64> = kinks.iter().copied().filter(|&x| x > a && x < b).collect();
    ends.push(b);
    ends.sort_by(f64::total_cmp);
    let mut from = a;
    let mut pieces = Vec::with_capacity(ends.len());
    for to in ends {
        if to > from {
            pieces.push(Piece::of(f, from, to));
        }
        from = to;
    }
    let scale: f64 = pieces.iter().map(|piece| piece.size).sum();
    let mut halvings = HALVINGS_MAX;
    let mut sum = 0.0;
    // Pieces that are still too rough, the leftmost on top.
    pieces.reverse();
    while let Some(piece) = pieces.pop() {
        let middle = piece.from + (piece.to - piece.from) / 2.0;
        let divisible = middle > piece.from && middle < piece.to && piece.sum.is_finite();
        if piece.error <= INTEGRAL_ACCURACY * scale || halvings == 0 || !divisible {
            sum += piece.sum;
        } else {
            halvings -= 1;
            pieces.push(Piece::of(f, middle, piece.to));
            pieces.push(Piece::of(f, piece.from, middle));
        }
    }
    sum
}

/// An interval with Kronrod's value, its distance from Gauss's, and the value for the function's absolute value.
struct Piece {
    from: f64,
    to: f64,
    sum: f64,
    error: f64,
    size: f64,
}

/// Nodes on (0, 1] of the symmetric rule, with Kronrod's weights.
const KRONROD: [(f64, f64); 7] = [
    (0.991_455_371_120_812_6, 0.022_935_322_010_529_224),
    (0.949_107_912_342_758_5, 0.063_092_092_629_978_55),
    (0.864_864_423_359_769_1, 0.104_790_010_322_250_18),
    (0.741_531_185_599_394_4, 0.140_653_259_715_525_92),
    (0.586_087_235_467_691_1, 0.169_004_726_639_267_9),
    (0.405_845_151_377_397_2, 0.190_350_578_064_785_4),
    (0.207_784_955_007_898_47, 0.204_432_940_075_298_9),
];
const KRONROD_MIDDLE: f64 = 0.209_482_141_084_727_83;
/// Gauss's weights at every second node, from the outside.
const GAUSS: [f64; 3] = [0.129_484_966_168_869_7, 0.279_705_391_489_276_64, 0.381_830_050_505_118_9];
const GAUSS_MIDDLE: f64 = 0.417_959_183_673_469_4;

impl Piece {
    fn of(f: &dyn Fn(f64) -> f64, from: f64, to: f64) -> Piece {
        let half = (to - from) / 2.0;
        let middle = from + half;
        let centre = f(middle);
        let (mut fine, mut coarse) = (KRONROD_MIDDLE * centre, GAUSS_MIDDLE * centre);
        let mut size = KRONROD_MIDDLE * centre.abs();
        for (i, (node, weight)) in KRONROD.into_iter().enumerate() {
            let (left, right) = (f(middle - half * node), f(middle + half * node));
            fine += weight * (left + right);
            size += weight * (left.abs() + right.abs());
            if i % 2 == 1 {
                coarse += GAUSS[i / 2] * (left + right);
            }
        }
        Piece { from, to, sum: fine * half, error: ((fine - coarse) * half).abs(), size: size * half }
    }
}

/// A zero of `f` between `a` and `b`, where it changes its sign; exact to the last digit or two.
pub fn root(f: &dyn Fn(f64) -> f64, a: f64, b: f64) -> f64 {
    let (mut a, mut b) = (a, b);
    let rising = f(a) < 0.0;
    for _ in 0..BISECTIONS_MAX {
        let middle = a + (b - a) / 2.0;
        if middle <= a || middle >= b {
            break;
        }
        let value = f(middle);
        if value == 0.0 {
            return middle;
        }
        if (value < 0.0) == rising { a = middle } else { b = middle }
    }
    a + (b - a) / 2.0
}

/// Where `f` is least between `a` and `b`, by golden sections; the global place if `f` has one valley.
pub fn least(f: &dyn Fn(f64) -> f64, a: f64, b: f64, accuracy: f64) -> (f64, f64) {
    let section = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut a, mut b) = (a, b);
    let (mut x, mut y) = (b - section * (b - a), a + section * (b - a));
    let (mut fx, mut fy) = (f(x), f(y));
    while b - a > accuracy * (1.0 + a.abs().max(b.abs())) {
        if fx <= fy {
            (b, y, fy) = (y, x, fx);
            x = b - section * (b - a);
            fx = f(x);
        } else {
            (a, x, fx) = (x, y, fy);
            y = a + section * (b - a);
            fy = f(y);
        }
    }
    if fx <= fy { (x, fx) } else { (y, fy) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integrals_of_smooth_kinked_and_steep_functions() {
        let close = |x: f64, y: f64| assert!((x - y).abs() <= 1e-11 * y.abs().max(1.0), "{x} {y}");
        close(integral(&|x| x * x, 0.0, 3.0, &[]), 9.0);
        close(integral(&|x| (-x).exp(), 0.0, 50.0, &[]), 1.0);
        close(integral(&|x| (x - 1.0).abs(), 0.0, 3.0, &[1.0]), 2.5);
        close(integral(&|x| 1.0 / (1e-4 + x * x), -1.0, 1.0, &[]), 200.0 * 100.0_f64.atan());
        close(integral(&|_| 1.0, 2.0, 1.0, &[]), 0.0);
    }

    #[test]
    fn roots_and_least_values() {
        assert!((root(&|x| x * x - 2.0, 0.0, 2.0) - 2.0_f64.sqrt()).abs() < 1e-15);
        assert!((root(&|x| 1.0 - x, 0.0, 1e300) - 1.0).abs() < 1e-15);
        let (x, y) = least(&|x| (x - 3.0).powi(2) + 1.0, 0.0, 10.0, 1e-9);
        assert!((x - 3.0).abs() < 1e-6 && (y - 1.0).abs() < 1e-12);
    }
}
