//! The page: mounts, nothing else.

fn main() {
    console_error_panic_hook::set_once();
    leptos::mount::mount_to_body(tag2mask_app::screens::Page);
}
