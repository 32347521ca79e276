//! Items, services, systems and scenarios of generated specifications.

use super::{DEPTH_MAX, Gen};

impl Gen<'_> {
    pub fn item(&mut self) {
        match self.pick(13) {
            12 => self.one(&["allow unsent Join : \"for later\" ;", "allow dead_timer : \"so\" ;"]),
            0..=3 => self.service(),
            4..=6 => self.system(),
            7 => self.scenario(),
            8 => {
                self.put("import a :: b");
                if self.often() {
                    self.put(":: {");
                    self.several(1, ",", |it| {
                        it.type_name();
                        if it.rarely() {
                            it.put("as Other");
                        }
                    });
                    self.put("}");
                }
                self.put(";");
            }
            9 => {
                self.put("interface");
                self.type_name();
                self.block("", Self::call);
            }
            10 => self.messages(),
            _ => self.one(&[
                "use std :: fmt ;",
                "type Slot = u64 ;",
                "pub struct Job { a : u8 , b : Vec < u8 > }",
                "struct Unit ;",
                "#[derive(Default)] enum E { X , Y ( u8 ) }",
                "const LIMIT : u8 = 3 ;",
                "pub(crate) const fn f ( x : u8 ) -> u8 { x + 1 }",
                "async unsafe fn g ( ) { }",
                "impl < T > E { fn g ( & self ) { let y = 'x' ; \"a//b\" ; } }",
            ]),
        }
    }

    fn call(&mut self) {
        self.one(&["downcall", "upcall"]);
        self.name();
        self.params();
        if self.often() {
            self.put("->");
            self.ty();
        }
        self.put(";");
    }

    fn params(&mut self) {
        self.put("(");
        self.several(0, ",", Self::param);
        self.put(")");
    }

    fn param(&mut self) {
        self.name();
        self.put(":");
        self.ty();
    }

    fn ty(&mut self) {
        self.one(&[
            "u8",
            "BTreeMap < Slot , ( NodeId , u8 ) >",
            "Box < dyn Fn ( u8 ) -> u8 >",
            "& 'static str",
            "[ u8 ; 3 ]",
            "Option < & mut a :: B >",
            "impl Iterator < Item = u8 > + 'a",
        ]);
    }

    fn value(&mut self) {
        self.one(&[
            "1",
            "Vec :: new ( )",
            "[ 1 , 2 ]",
            "f ( a , \"b c\" ) + 2",
            "{ let x = 1 ; x }",
            "100ms .. 2 * b",
            "vec! [ 'a' ]",
        ]);
    }

    fn messages(&mut self) {
        self.put("messages");
        if self.rarely() {
            self.put("over net");
        }
        self.block("", |it| {
            it.type_name();
            if it.often() {
                it.put(";");
            } else {
                it.put("{");
                it.several(0, ",", Self::param);
                it.put("}");
            }
        });
    }

    fn service(&mut self) {
        self.put("service");
        self.type_name();
        self.block("", Self::member);
    }

    fn member(&mut self) {
        match self.pick(16) {
            14 => self.one(&[
                "fair choice ;",
                "fair choice resend . to , Join ;",
                "allow unsent Join : \"for later\" ;",
            ]),
            15 => self.one(&["generic { Clear ; Set { value in 0 .. 3 , to in [ 1 , 2 ] } }", "generic { }"]),
            0 => self.one(&["provides Log ;", "provides Tree by tree ;"]),
            1 => self.one(&["uses net : Reliable ;", "uses tree : Tree = RandTree { a : 2 , b } ;"]),
            2 => {
                self.put("const LIMIT :");
                self.ty();
                self.put("=");
                self.value();
                self.put(";");
            }
            3 => self.parameters(),
            4 => {
                self.put("states {");
                self.several(0, ",", Self::type_name);
                self.put("}");
            }
            5 | 6 => self.block("variables", |it| {
                it.one(&["", "", "durable", "export", "secret ghost"]);
                it.declared();
            }),
            7 => self.messages(),
            8 => self.block("timers", |it| {
                it.name();
                if it.often() {
                    it.params();
                }
                if it.often() {
                    it.put("every");
                    it.value();
                }
                it.put(";");
            }),
            9 | 10 => self.block("transitions", Self::transition),
            11 => self.block("routines", |it| {
                it.one(&["", "#[inline]"]);
                it.put("fn");
                it.name();
                it.put("( x : u8 ) -> u8");
                it.body();
            }),
            12 => self.block("properties", Self::property),
            _ => self.block("objectives", Self::objective),
        }
    }

    fn parameters(&mut self) {
        self.block("parameters", Self::declared);
    }

    fn declared(&mut self) {
        self.name();
        self.put(":");
        self.ty();
        if self.often() {
            self.put("=");
            self.value();
        }
        self.put(";");
    }

    fn transition(&mut self) {
        match self.pick(8) {
            0 if self.depth < DEPTH_MAX => {
                self.depth += 1;
                self.put("in");
                self.several(1, "|", Self::type_name);
                self.block("", Self::transition);
                self.depth -= 1;
            }
            1 if self.depth < DEPTH_MAX => {
                self.depth += 1;
                self.block("first", Self::transition);
                self.depth -= 1;
            }
            2 => {
                self.put("ignore");
                if self.rarely() {
                    self.put("upcall");
                }
                self.event();
                self.in_clause();
                self.put(";");
            }
            _ => {
                self.one(&["upcall", "downcall", "scheduler", "aspect"]);
                if self.often() {
                    self.name();
                    self.put(":");
                }
                self.event();
                self.in_clause();
                for _ in 0..self.pick(3) {
                    self.put("choose");
                    self.name();
                    self.put("in");
                    self.one(&["& peers", "[ 1 , 2 ]", "others ( a ) . filter ( | p | * p != me )"]);
                }
                self.one(&[
                    "",
                    "",
                    "otherwise",
                    "when a > 3 && b",
                    "when joiner > root && fresh ( joiner ) && children . len ( ) < max_children || name == \"x\"",
                ]);
                self.body();
            }
        }
    }

    fn in_clause(&mut self) {
        if self.rarely() {
            self.put("in");
            self.several(1, "|", Self::type_name);
        }
    }

    fn event(&mut self) {
        self.one(&[
            "start ( )",
            "deliver ( _ , Bye )",
            "deliver ( src , Join { joiner , hops : 0 ..= 3 , .. } )",
            "retry",
            "tree . moved ( Some ( p ) )",
            "append ( command : Command )",
            "deliver ( _ , Data ( 'a' | \"b\" ) )",
        ]);
    }

    fn body(&mut self) {
        self.one(&[
            "{ }",
            "{ a = 1 ; }",
            "{ send ( to , Hello { from : me , load } ) ; if a { b ( ) } else { c [ 1 ] = 2 ; } }",
            "{ let text = \"// no comment\" ; assert! ( x , \"{x}\" ) ; let c = '}' ; }",
            "{ match state { Idle => 1 , _ => 2 } }",
        ]);
    }

    fn property(&mut self) {
        self.one(&["safety", "local", "reachable", "liveness", "statistical"]);
        self.name();
        self.put(":");
        self.expr();
        self.put(";");
    }

    fn objective(&mut self) {
        self.one(&["minimize", "maximize"]);
        self.name();
        self.put(":");
        self.several(1, ",", Self::term);
        if self.often() {
            self.put("weight 2.0");
        }
        if self.rarely() {
            self.one(&["level 2", "discount 0.9", "horizon 10s", "level 1 horizon 5s"]);
        }
        self.put(";");
    }

    fn term(&mut self) {
        match self.pick(8) {
            0 => self.operand(),
            1 => self.one(&["1.0 per message", "0.5 per message A | tree . B", "2 per byte", "a per byte A"]),
            2 => self.one(&["1 per upcall done | lost", "1 per downcall append", "1 per handler a . b"]),
            _ => {
                self.put("0.2 per second");
                if self.often() {
                    self.put("for");
                    self.binders();
                }
                if self.often() {
                    self.put("while");
                    self.expr();
                }
                if self.often() {
                    self.one(&["growing linearly", "growing to the power 2", "growing by 1.1"]);
                }
            }
        }
    }

    fn system(&mut self) {
        self.put("system");
        self.type_name();
        self.block("", |it| match it.pick(9) {
            0 => it.parameters(),
            1 => it.block("nodes", |it| {
                it.name();
                it.one(&["", "[ 3 ]", "[ size + 1 ]"]);
                it.put(":");
                it.one(&["A", "a :: B { }", "generic A", "Server { peers : n , size , tree : T { a : 1 } }"]);
                it.put(";");
            }),
            2 => it.block("network", |it| {
                it.one(&["net :", "tree . net :"]);
                it.several(1, ",", |it| {
                    it.one(&["delay 1ms .. 40ms", "loss 0.1", "duplicates", "reorders 0.5", "bandwidth 5"]);
                });
                it.put(";");
            }),
            3 => it.block("faults", |it| {
                it.one(&["crash any :", "reset n :", "partition n [ 0 ] :", "cut :"]);
                it.several(1, ",", |it| {
                    it.one(&[
                        "at most 1",
                        "rate 0.1 per second",
                        "rate 2 per hour",
                        "rate 2 per minute",
                        "chance 0.5",
                        "at 60s",
                        "within 1s .. 5s",
                        "back",
                        "back within 1s .. 2s",
                        "back after 3s",
                    ]);
                });
                it.put(";");
            }),
            4 => it.block("workload", |it| {
                it.one(&[
                    "",
                    "once :",
                    "once each a in n :",
                    "each a in n where up ( a ) , rate 0.1 per second :",
                    "at most 2 , after restart :",
                    "at 5s :",
                    "within 1s .. 2s :",
                ]);
                it.put("call");
                it.one(&[
                    "a . join ( [ n [ 0 ] ] )",
                    "random ( n ) . append ( Command ( random ( 1 ..= 2 ) ) )",
                ]);
                it.put(";");
            }),
            5 => it.one(&["horizon 10s ;", "horizon 2 * wait ;"]),
            6 => it.block("objectives", |it| match it.often() {
                true => it.objective(),
                false => it.one(&["depth weight 0.5 ;", "tree . depth level 2 weight 1 ;"]),
            }),
            7 => it.block("properties", Self::property),
            _ => it.block("check", |it| {
                it.one(&["depth : 40", "timed", "crash n : at most 1", "drop : at most 2", "messages : 3"]);
                it.put("; within :");
                it.expr();
                it.put(";");
            }),
        });
    }

    fn scenario(&mut self) {
        self.put("scenario");
        self.name();
        self.put("in");
        self.type_name();
        self.block("", |it| {
            if it.rarely() {
                it.put("refuse");
            }
            it.one(&[
                "n [ 0 ] . append ( Command ( 1 ) ) ;",
                "n [ 0 ] . go ( ) as tree . pass ;",
                "deliver Add to n [ 1 ] as pass ( child : n [ 2 ] , other : 1 ) ;",
                "deliver tree . Add from a to b ;",
                "drop Added to n [ 0 ] ;",
                "duplicate Added from a to n [ 0 ] ;",
                "crash n [ 2 ] ;",
                "restart n [ 2 ] ;",
                "reset n [ 2 ] ;",
                "fire retry at n [ 0 ] ;",
                "fire resend ( 1 , a ) at n [ 0 ] as again ( ) ;",
                "partition [ n [ 0 ] ] from [ n [ 1 ] , n [ 2 ] ] ;",
                "cut a from b ;",
                "heal ;",
                "run ;",
                "run 10s ;",
            ]);
            if it.often() {
                it.one(&["run until", "expect"]);
                it.expr();
                it.put(";");
            }
        });
    }
}
