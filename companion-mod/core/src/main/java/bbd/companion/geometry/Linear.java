package bbd.companion.geometry;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** Rows of {@code width} chunks along x (format.md, "linear"). */
public record Linear(long width) implements Layout {
    private static final long MIN_WIDTH = 32;
    private static final long MAX_WIDTH = 1 << 21;

    public Linear {
        if (width < MIN_WIDTH || width > MAX_WIDTH || Long.bitCount(width) != 1) {
            throw new IllegalArgumentException("a layout's width of " + width);
        }
    }

    @Override
    public Place place(long column) {
        return new Place(column % width, column / width);
    }

    @Override
    public OptionalLong column(long x, long z) {
        return x < 0 || x >= width || z < 0 ? OptionalLong.empty() : OptionalLong.of(z * width + x);
    }

    /** The whole rows, and the row that is not. */
    @Override
    public List<Rectangle> rectangles(long columns) {
        List<Rectangle> found = new ArrayList<>();
        long rows = columns / width;
        if (rows > 0) {
            found.add(new Rectangle(0, 0, width, rows));
        }
        if (columns % width > 0) {
            found.add(new Rectangle(0, rows, columns % width, 1));
        }
        return found;
    }
}
