use super::*;

fn editor(boxes: Vec<ObjectBox>) -> Editor {
    let facts = ImageSummary {
        path: "1.jpg".into(),
        stem: "1".into(),
        width: 200,
        height: 100,
        labels: vec![2],
        boxes: Vec::new(),
    };
    Editor::new(0, &facts, 4, Edit::new(boxes))
}

fn object(class: u16, edges: [f32; 4]) -> ObjectBox {
    let [x0, y0, x1, y1] = edges;
    ObjectBox { class, x0, y0, x1, y1 }
}

/// Presses at the first point and releases at the last.
fn draw(editor: &mut Editor, points: &[Point]) -> bool {
    editor.press(points[0], 5.0, false);
    points[1..].iter().for_each(|&point| editor.drag(point));
    editor.release()
}

#[test]
fn a_drag_draws_a_box_of_the_photo_s_own_class() {
    let mut editor = editor(Vec::new());
    assert_eq!(editor.classes(), [2, 0, 1, 3]);
    assert!(draw(&mut editor, &[(60.2, 50.0), (70.0, 55.0), (-20.0, 130.0)]));
    assert_eq!(editor.boxes(), [object(2, [0.0, 50.0, 60.0, 100.0])]);
    assert_eq!(editor.selected(), Some(0));
    assert!(!draw(&mut editor, &[(100.0, 20.0), (103.0, 60.0)]), "too narrow");
    assert_eq!((editor.boxes().len(), editor.selected()), (1, None), "a click beside it lets go of it");
    editor.choose(3);
    editor.choose(9);
    assert!(draw(&mut editor, &[(100.0, 10.0), (120.0, 30.0)]));
    assert_eq!(editor.boxes()[1], object(3, [100.0, 10.0, 120.0, 30.0]));
    assert!(editor.undo() && editor.undo() && !editor.undo());
    assert!(editor.boxes().is_empty() && editor.selected().is_none());
    assert!(editor.redo() && editor.redo() && !editor.redo());
    assert_eq!(editor.boxes().len(), 2);
}

#[test]
fn a_box_is_moved_by_its_inside_and_resized_by_its_edges() {
    let mut editor = editor(vec![object(0, [50.0, 20.0, 90.0, 60.0]), object(1, [55.0, 25.0, 65.0, 35.0])]);
    assert!(!draw(&mut editor, &[(60.0, 30.0)]), "a click only selects");
    assert_eq!(editor.selected(), Some(1), "the smaller one");
    assert!(draw(&mut editor, &[(80.0, 50.0), (300.0, 51.0)]));
    assert_eq!(editor.boxes()[0], object(0, [160.0, 21.0, 200.0, 61.0]), "no further than the photo");
    // Selected by now, its corner is taken from outside, too.
    assert!(draw(&mut editor, &[(157.0, 18.0), (150.0, 10.0)]));
    assert_eq!(editor.boxes()[0], object(0, [150.0, 10.0, 200.0, 61.0]));
    assert!(draw(&mut editor, &[(175.0, 60.0), (0.0, 0.0)]));
    assert_eq!(editor.boxes()[0], object(0, [150.0, 10.0, 200.0, 14.0]), "no smaller than that");
    editor.press((175.0, 12.0), 5.0, true);
    editor.drag((185.0, 60.0));
    assert_eq!(editor.boxes().len(), 3, "drawn over a box");
    editor.cancel();
    assert_eq!((editor.boxes().len(), editor.release()), (2, false));
}

#[test]
fn keys_do_the_same() {
    let mut editor = editor(Vec::new());
    assert!(!editor.nudge((1, 0), false, false) && !editor.remove() && !editor.reclass(1));
    editor.choose(2);
    assert!(editor.add());
    assert_eq!(editor.boxes(), [object(2, [75.0, 37.0, 125.0, 63.0])]);
    assert!(editor.nudge((1, 0), false, false) && editor.nudge((0, -1), false, true));
    assert_eq!(editor.boxes(), [object(2, [77.0, 36.0, 127.0, 62.0])]);
    assert!(editor.nudge((-1, 0), true, false) && editor.nudge((0, 1), true, true));
    assert_eq!(editor.boxes(), [object(2, [77.0, 36.0, 125.0, 63.0])]);
    assert!(editor.reclass(1) && !editor.reclass(1));
    assert_eq!(editor.place(0), Some([38.5, 36.0, 24.0, 27.0]));
    for _ in 0..300 {
        editor.nudge((1, 1), false, false);
    }
    assert_eq!(editor.boxes(), [object(1, [152.0, 73.0, 200.0, 100.0])]);
    assert!(!editor.nudge((1, 0), false, false), "no change, no step back");
    editor.add();
    editor.select(Some(0));
    assert!(editor.remove());
    assert_eq!(editor.selected(), Some(0), "the next one");
    assert!(editor.remove() && editor.selected().is_none());
}

#[test]
fn boxes_that_are_smaller_than_one_can_draw_stay_whole() {
    let tiny = object(0, [10.0, 10.0, 11.0, 11.0]);
    assert_eq!(pulled(&tiny, (1, 1), (0.0, 0.0), (200.0, 100.0)), tiny);
    let over = object(0, [0.0, 0.0, 300.0, 50.0]);
    assert_eq!(moved(&over, (5.0, 5.0), (200.0, 100.0)).x0, 0.0);
    assert_eq!(pulled(&over, (1, 0), (250.0, 0.0), (200.0, 100.0)).x1, 200.0);
}
