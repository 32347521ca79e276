//! Expressions of generated specifications. Whatever reaches as far as it can stands in parentheses, or last.

use super::{DEPTH_MAX, Gen};

impl Gen<'_> {
    /// A whole expression.
    pub fn expr(&mut self) {
        match self.pick(8) {
            0 => {
                self.one(&["forall", "exists"]);
                self.binders();
                self.put(":");
                self.deeper(Self::expr);
            }
            1 => {
                self.one(&["always", "eventually", "always eventually"]);
                self.deeper(Self::expr);
            }
            2 => {
                self.operand();
                self.put("leads to");
                self.operand();
            }
            3 => {
                self.one(&["max", "min", "sum"]);
                self.binders();
                self.put(":");
                self.operand();
            }
            4 => {
                self.operand();
                self.one(&[".. b", "..= 3", "< 4", ">= a . b", "== 1"]);
            }
            _ => self.chain(),
        }
    }

    /// Operators that may follow each other in any order.
    fn chain(&mut self) {
        self.several(1, "", |it| {
            it.operand();
            it.one(&["&&", "||", "+", "-", "*", "/", "%", "|", "^", "&", "<<", ">>", "implies", "iff"]);
        });
        self.operand();
    }

    pub fn operand(&mut self) {
        self.one(&["", "", "", "", "!", "-", "*", "&"]);
        self.primary();
        for _ in 0..self.pick(3) {
            match self.pick(6) {
                0 => {
                    self.put(".");
                    self.name();
                }
                1 => self.one(&[
                    ". pair . 0",
                    ". (parent)+",
                    ". (tree.parent)*",
                    ". collect :: < Vec < _ > > ( )",
                ]),
                2 => {
                    self.put(". contains (");
                    self.arguments();
                    self.put(")");
                }
                3 => {
                    self.put("[");
                    self.deeper(Self::expr);
                    self.put("]");
                }
                4 => {
                    self.put(". iter ( ) . all ( | ( x , & y ) | x > 1 )");
                }
                _ => self.one(&[". len ( )", ". is_some ( )"]),
            }
        }
        if self.rarely() {
            self.put("as u64");
        }
    }

    fn arguments(&mut self) {
        if self.often() {
            self.deeper(Self::expr);
        }
    }

    fn primary(&mut self) {
        match self.pick(14) {
            0..=4 => self.one(&["n", "nodes", "Idle", "a :: B", "LIMIT", "me"]),
            5 => self.one(&["1", "0xff_u8", "1.5e-3", "100ms", "'x'", "\"a // b\"", "true", "false"]),
            6 => {
                self.put("(");
                self.deeper(Self::expr);
                self.put(")");
            }
            7 => self.one(&["( )", "( 1 .. )", "( 1 , )", "( a , b )", "[ ]", "[ 1 , n ]"]),
            8 => self.one(&[
                "up ( n )",
                "Some ( n . x )",
                "Job { a : 1 , b }",
                "matches! ( x , A { .. } | Some ( y ) if y > 2 )",
                "vec! [ 1 , n ]",
                "other! ( a b )",
            ]),
            9 => {
                self.put("(");
                self.put("count");
                self.binders();
                self.put(")");
            }
            10 => {
                self.put("probability (");
                self.deeper(Self::chain);
                if self.often() {
                    self.put("within 10s");
                }
                if self.often() {
                    self.put("given");
                    self.deeper(Self::chain);
                }
                self.put(")");
            }
            11 => {
                self.put("( expected (");
                self.deeper(Self::chain);
                self.put(")");
                if self.often() {
                    self.put("finite");
                }
                self.put(")");
            }
            _ => {
                self.put("(");
                self.one(&["forall", "exists"]);
                self.binders();
                self.put(":");
                self.deeper(Self::expr);
                self.put(")");
            }
        }
    }

    pub fn binders(&mut self) {
        self.several(1, ",", |it| {
            it.one(&["a", "_", "( x , & y )", "& z", "( )", "n"]);
            it.put("in");
            it.one(&["nodes", "a . log . iter ( )", "0 .. 3", "[ 1 , 2 ]", "n . (parent)+", "( ..= 2 )"]);
        });
        if self.rarely() {
            self.put("where");
            self.deeper(Self::chain);
        }
    }

    /// One level further down; at the bottom a name.
    fn deeper(&mut self, part: fn(&mut Self)) {
        if self.depth >= DEPTH_MAX {
            self.put("n");
            return;
        }
        self.depth += 1;
        part(self);
        self.depth -= 1;
    }
}
