//! Prints `docs/apis.md`, for `cargo xtask apis`.

#[expect(clippy::print_stdout, reason = "printing is all it does")]
fn main() {
    print!("{}", api::render_markdown());
}
