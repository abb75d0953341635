//! Prints `docs/configuration.md`, for `cargo xtask apis`.

#[expect(clippy::print_stdout, reason = "printing is all it does")]
fn main() {
    print!("{}", settings::render_markdown());
}
