package bbd.companion.geometry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import bbd.companion.Vectors;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class GeometryTest {
    private static Layout layout(Map<?, ?> said) {
        return switch ((String) said.get("name")) {
            case "hilbert" -> new Hilbert();
            case "linear" -> new Linear((Long) said.get("width"));
            default -> new Spiral();
        };
    }

    private static List<?> list(Object value) {
        return (List<?>) value;
    }

    private static int number(Object list, int at) {
        return ((Long) list(list).get(at)).intValue();
    }

    @Test
    void layoutsAreTheFormats() throws IOException {
        Map<String, Object> format = Vectors.format();
        for (String name : List.of("hilbert", "linear", "spiral")) {
            for (Object one : list(format.get(name))) {
                Map<?, ?> vector = (Map<?, ?>) one;
                Layout layout = name.equals("linear")
                        ? new Linear((Long) vector.get("width"))
                        : layout(Map.of("name", name));
                long column = (Long) vector.get("column");
                Layout.Place place = layout.place(column);
                assertEquals(number(vector.get("chunk"), 0), place.x(), name);
                assertEquals(number(vector.get("chunk"), 1), place.z(), name);
                assertEquals(column, layout.column(place.x(), place.z()).getAsLong(), name);
            }
        }
    }

    @Test
    void offsetsAreBlocksAndBack() throws IOException {
        Map<String, Object> format = Vectors.format();
        for (Object one : list(format.get("offsets"))) {
            Map<?, ?> vector = (Map<?, ?>) one;
            check(Codec.BYTE, vector, vector.get("block"), vector.get("block"));
        }
        for (Object one : list(format.get("pieces"))) {
            Map<?, ?> vector = (Map<?, ?>) one;
            check(Codec.named((String) vector.get("codec")).orElseThrow(), vector, vector.get("first"),
                    vector.get("last"));
        }
    }

    private static void check(Codec codec, Map<?, ?> vector, Object first, Object last) {
        Object origin = vector.get("origin");
        Geometry geometry = new Geometry(codec, layout((Map<?, ?>) vector.get("layout")), number(origin, 0),
                number(origin, 1));
        long offset = (Long) vector.get("offset");
        List<Geometry.Block> blocks = geometry.locate(offset);
        assertEquals(new Geometry.Block(number(first, 0), number(first, 1), number(first, 2)), blocks.get(0));
        assertEquals(new Geometry.Block(number(last, 0), number(last, 1), number(last, 2)),
                blocks.get(blocks.size() - 1));
        for (Geometry.Block block : blocks) {
            assertEquals(offset, geometry.offset(block.x(), block.y(), block.z()).getAsLong());
        }
    }

    @Test
    void rectanglesAreTheColumns() {
        for (Layout layout : List.of(new Hilbert(), new Linear(32), new Spiral())) {
            for (long columns : new long[]{1, 2, 31, 32, 33, 100, 1023, 1024, 1500}) {
                Set<Layout.Place> inside = new HashSet<>();
                for (Layout.Rectangle one : layout.rectangles(columns)) {
                    for (long x = one.x(); x < one.x() + one.width(); x++) {
                        for (long z = one.z(); z < one.z() + one.depth(); z++) {
                            assertTrue(inside.add(new Layout.Place(x, z)));
                        }
                    }
                }
                assertEquals(columns, inside.size());
                for (long column = 0; column < columns; column++) {
                    assertTrue(inside.contains(layout.place(column)), layout + " " + column);
                }
            }
        }
    }

    @Test
    void disksMeetWhereTheyShareChunks() {
        Geometry one = new Geometry(Codec.BYTE, new Hilbert(), 0, 0);
        assertTrue(one.overlaps(1024, new Geometry(Codec.BYTE, new Spiral(), 31, 31), 1));
        assertFalse(one.overlaps(1024, new Geometry(Codec.BYTE, new Spiral(), 32, 31), 1));
    }
}
