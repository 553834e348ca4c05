use super::*;
use crate::model::tests::summary;

fn editor(width: usize, height: usize) -> Editor {
    let summary = summary(3);
    Editor::new(1, None, &summary.images[1], 3, LabelMap::background(width, height)).unwrap()
}

fn painted(editor: &Editor, label: u8) -> usize {
    editor.map().labels.iter().filter(|&&l| l == label).count()
}

#[test]
fn a_brush_paints_discs_and_lines() {
    let mut editor = editor(100, 60);
    assert_eq!((editor.class(), editor.classes()), (1, &[1, 0, 2][..]), "the photo's own first");
    editor.resize(20.0);
    editor.press((50.0, 30.0));
    let disc = painted(&editor, 2) as f32;
    assert!((disc / (std::f32::consts::PI * 100.0) - 1.0).abs() < 0.05, "{disc}");
    editor.drag((80.0, 30.0));
    assert!(editor.release() && !editor.release());
    let line = painted(&editor, 2) as f32;
    assert!((line - disc - 600.0).abs() < 30.0, "{line} of {disc} and 20 × 30");
    editor.choose_tool(Tool::Eraser);
    editor.press((50.0, 30.0));
    editor.drag((80.0, 30.0));
    editor.release();
    assert_eq!(painted(&editor, 2), 0);
    editor.choose(2);
    assert_eq!((editor.tool(), editor.class()), (Tool::Brush, 2), "a class is there to be painted");
}

#[test]
fn the_edge_of_the_photo_and_small_brushes_are_no_trouble() {
    for (width, height) in [(1, 1), (3, 200), (50, 50)] {
        let mut editor = editor(width, height);
        for size in [0.0, 1.0, 7.5, f32::INFINITY, f32::NAN] {
            editor.resize(size);
            editor.press((-20.0, 1e9));
            editor.drag((width as f32, f32::NAN));
            editor.release();
        }
        assert!(painted(&editor, 2) > 0);
    }
    let mut editor = editor(9, 9);
    editor.resize(1.0);
    editor.hover((4.2, 4.9));
    assert!(editor.dab());
    assert_eq!((painted(&editor, 2), editor.map().labels[4 * 9 + 4], editor.under()), (1, 2, Some(1)));
}

#[test]
fn every_change_can_be_taken_back_and_made_again() {
    let mut editor = editor(64, 48);
    let mut seen = vec![editor.map().clone()];
    for (at, class) in [((10.0, 10.0), 0), ((12.0, 14.0), 1), ((50.0, 40.0), 2), ((11.0, 11.0), 1)] {
        editor.choose(class);
        editor.press(at);
        editor.drag((at.0 + 6.0, at.1));
        assert!(editor.release());
        seen.push(editor.map().clone());
    }
    for back in (0..4).rev() {
        assert!(editor.undo());
        assert_eq!(editor.map(), &seen[back]);
    }
    assert!(!editor.undo() && !editor.is_changed());
    for later in &seen[1..] {
        assert!(editor.redo());
        assert_eq!(editor.map(), later);
    }
    assert!(!editor.redo());
    editor.undo();
    editor.press((60.0, 5.0));
    editor.cancel();
    assert_eq!(editor.map(), &seen[3], "a stroke that was not meant");
    assert!(editor.can_redo(), "and nothing is lost");
    assert!(editor.dab() && !editor.can_redo(), "another way was taken");
}

#[test]
fn steps_take_bounded_memory() {
    let mut steps = Steps::default();
    let plain = vec![0; 1 << 20];
    // Every other pixel: as many runs as can be.
    let comb: Vec<u8> = (0..1 << 20).map(|at| (at % 2) as u8).collect();
    for _ in 0..20 {
        assert!(steps.add(&plain, &comb) && steps.add(&comb, &plain));
    }
    assert!(steps.runs() <= Steps::RUNS && steps.is_changed());
    let mut labels = comb.clone();
    while steps.undo(&mut labels) {}
    assert!(steps.is_changed(), "what was forgotten stays done");
    let mut many = Steps::default();
    for at in 0..1000u32 {
        assert!(many.add(&[(at % 2) as u8], &[(at % 2 + 1) as u8]));
    }
    assert!(many.runs() <= Steps::STEPS);
}

#[test]
fn a_region_is_filled_at_whatever_size_it_was_cut() {
    let mut editor = editor(40, 20);
    editor.choose_tool(Tool::Fill);
    assert!(!editor.dab(), "no regions are known");
    let regions = (0..10 * 5).map(|at| u32::from(at % 10 >= 4)).collect();
    editor.set_regions(Arc::new(Superpixels { width: 10, height: 5, count: 2, regions }));
    editor.hover((2.0, 2.0));
    assert!(editor.dab());
    assert_eq!(painted(&editor, 2), 16 * 20);
    editor.press((30.0, 2.0));
    editor.drag((10.0, 2.0));
    editor.release();
    assert_eq!(painted(&editor, 2), 40 * 20, "all that a stroke touches");
    assert!(editor.undo() && painted(&editor, 2) == 16 * 20);
}

#[test]
fn the_keyboard_paints_too() {
    let mut editor = editor(100, 100);
    editor.resize(10.0);
    assert!(!editor.toggle() && editor.is_down());
    editor.nudge((20.0, 0.0));
    assert!(editor.toggle() && !editor.is_down());
    let line = painted(&editor, 2);
    editor.nudge((0.0, 30.0));
    assert_eq!((painted(&editor, 2), editor.cursor()), (line, (70.0, 80.0)), "moved, not painted");
}

#[test]
fn what_is_drawn_again_holds_what_has_changed() {
    let mut editor = editor(100, 60);
    assert_eq!(editor.take_dirty(), Some(Area { x0: 0, y0: 0, x1: 100, y1: 60 }));
    assert_eq!(editor.take_dirty(), None);
    let before = editor.map().clone();
    editor.resize(8.0);
    editor.press((20.0, 20.0));
    editor.drag((30.0, 25.0));
    let area = editor.take_dirty().unwrap();
    for (at, (old, new)) in before.labels.iter().zip(&editor.map().labels).enumerate() {
        let (x, y) = (at % 100, at / 100);
        let inside = (area.x0..area.x1).contains(&x) && (area.y0..area.y1).contains(&y);
        assert!(old == new || inside, "{x}, {y}");
    }
    assert!(area.x1 - area.x0 < 25, "and little more");
    assert_eq!(area.grown(99, (100, 60)), Area { x0: 0, y0: 0, x1: 100, y1: 60 });
}

#[test]
fn a_mask_of_another_size_is_refused() {
    let facts = &summary(1).images[0];
    let map = LabelMap { width: 4, height: 4, labels: vec![0; 15] };
    assert!(Editor::new(0, None, facts, 1, map).is_none());
    assert!(Editor::new(0, None, facts, 1, LabelMap::background(0, 3)).is_none());
}
