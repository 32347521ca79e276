//! Scenarios as tables of small functions over a view.

use proc_macro2::TokenStream;
use quote::quote;

use crate::ir::{Scenario, ScenarioLine, Spec};

/// The static `SCENARIOS`.
pub(super) fn statics(spec: &Spec) -> TokenStream {
    let (count, listed) = (spec.scenarios.len(), spec.scenarios.iter().map(scenario));
    quote! {
        /// Golden scripts.
        #[allow(unused_variables)]
        pub static SCENARIOS: [kernel::ScenarioInfo; #count] = [#(#listed),*];
    }
}

fn scenario(scenario: &Scenario) -> TokenStream {
    let Scenario { name, line, system, .. } = scenario;
    let script = scenario.lines.iter().map(|it| {
        let ScenarioLine { text, line, command } = it;
        quote!(kernel::script::ScriptLine { text: #text, line: #line, command: #command })
    });
    quote! {
        kernel::ScenarioInfo { name: #name, file: FILE, line: #line, system: #system, script: &[#(#script),*] }
    }
}
