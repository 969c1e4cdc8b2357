//! Where the view is over a photograph.

use std::f64::consts::TAU;

/// The part of a photograph that is shown, in its pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct View {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

impl View {
    /// The view after `time` seconds, in the proportions of what is shown, never outside the photo.
    pub(super) fn at(time: f64, photo_w: u32, photo_h: u32, width: u32, height: u32) -> Self {
        let (photo_w, photo_h) = (f64::from(photo_w), f64::from(photo_h));
        let aspect = f64::from(width) / f64::from(height);
        let widest = photo_w.min(photo_h * aspect);
        // Periods without a common divisor: the path does not repeat soon.
        let zoom = 1.3 - 0.2 * (TAU * time / 11.0).cos();
        let across = 0.5 + 0.5 * (TAU * time / 13.0).sin();
        let down = 0.5 + 0.5 * (TAU * time / 7.0 + 1.0).sin();
        let view_w = widest / zoom;
        let view_h = (view_w / aspect).min(photo_h);
        View {
            left: (photo_w - view_w) * across,
            top: (photo_h - view_h) * down,
            width: view_w,
            height: view_h,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_view_stays_inside_keeps_its_shape_and_moves_smoothly(
            time in 0.0..1e6f64,
            photo in (1u32..9000, 1u32..9000),
            shown in (1u32..5000, 1u32..5000),
        ) {
            let at = |time| View::at(time, photo.0, photo.1, shown.0, shown.1);
            let view = at(time);
            prop_assert!(view.left >= 0.0 && view.top >= 0.0);
            prop_assert!(view.left + view.width <= f64::from(photo.0) * (1.0 + 1e-12));
            prop_assert!(view.top + view.height <= f64::from(photo.1) * (1.0 + 1e-12));
            let aspect = f64::from(shown.0) / f64::from(shown.1);
            prop_assert!((view.width / view.height / aspect - 1.0).abs() < 1e-9);
            let later = at(time + 1.0 / 30.0);
            let most = f64::from(photo.0.max(photo.1)) * 0.04;
            prop_assert!((later.left - view.left).abs() < most);
            prop_assert!((later.top - view.top).abs() < most);
            prop_assert_ne!(later, view);
        }
    }
}
