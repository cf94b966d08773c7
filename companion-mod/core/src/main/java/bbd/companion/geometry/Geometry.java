package bbd.companion.geometry;

import bbd.companion.blocks.ChunkPos;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** Offset to block and back (format.md, "From an offset to a block"). Offsets are bytes of the disk. */
public record Geometry(Codec codec, Layout layout, int originX, int originZ) {
    public static final int DATA_SECTIONS = 16;
    private static final int BORDER_CHUNK = 1_874_999;

    /** A block's coordinates. */
    public record Block(int x, int y, int z) {}

    /** Bytes of a column. */
    public long columnSize() {
        return (long) DATA_SECTIONS * codec.sectionSize();
    }

    /** How many columns a disk of {@code size} bytes takes. */
    public long columns(long size) {
        return size / columnSize() + (size % columnSize() == 0 ? 0 : 1);
    }

    /** The chunk of a column; beyond the world's border there is none, and this throws. */
    public ChunkPos chunk(long column) {
        Layout.Place place = layout.place(column);
        return new ChunkPos(inside(originX + place.x()), inside(originZ + place.z()));
    }

    private static int inside(long chunk) {
        if (chunk < -BORDER_CHUNK || chunk >= BORDER_CHUNK) {
            throw new IllegalArgumentException("chunk " + chunk + " is beyond the world border");
        }
        return (int) chunk;
    }

    /** The column at a chunk, whatever the disk's size; none where no column can be. */
    public OptionalLong column(int chunkX, int chunkZ) {
        return layout.column((long) chunkX - originX, (long) chunkZ - originZ);
    }

    /** Whether the first columns of this and those of another share a chunk, in the same dimension. */
    public boolean overlaps(long columns, Geometry other, long otherColumns) {
        for (Layout.Rectangle mine : layout.rectangles(columns)) {
            for (Layout.Rectangle theirs : other.layout.rectangles(otherColumns)) {
                if (mine.moved(originX, originZ).meets(theirs.moved(other.originX, other.originZ))) {
                    return true;
                }
            }
        }
        return false;
    }

    /** The blocks that hold the byte at {@code offset}, most significant bits first. */
    public List<Block> locate(long offset) {
        ChunkPos chunk = chunk(offset / columnSize());
        int within = (int) (offset % columnSize());
        int section = within / codec.sectionSize();
        List<Block> found = new ArrayList<>();
        for (int block : codec.blocksOf(within % codec.sectionSize())) {
            found.add(new Block(16 * chunk.x() + (block & 15), 16 * section + (block >> 8),
                    16 * chunk.z() + (block >> 4 & 15)));
        }
        return found;
    }

    /** The offset of the byte that a block holds a part of; none for a block that is no part of the data. */
    public OptionalLong offset(int x, int y, int z) {
        OptionalLong column = column(x >> 4, z >> 4);
        if (column.isEmpty() || y < 0 || y >= 16 * DATA_SECTIONS) {
            return OptionalLong.empty();
        }
        long section = column.getAsLong() * columnSize() + (long) (y >> 4) * codec.sectionSize();
        var at = codec.byteAt((y & 15) << 8 | (z & 15) << 4 | x & 15);
        return at.isEmpty() ? OptionalLong.empty() : OptionalLong.of(section + at.getAsInt());
    }
}
