package bbd.companion.blocks;

/** A chunk's coordinates, in chunks. */
public record ChunkPos(int x, int z) {
    private static final int REGION_SHIFT = 5;

    /** The region that it lies in, in regions. */
    public ChunkPos region() {
        return new ChunkPos(x >> REGION_SHIFT, z >> REGION_SHIFT);
    }

    /** Its index in the region's tables, from 0 to 1023. */
    public int index() {
        return x & 31 | (z & 31) << REGION_SHIFT;
    }

    /** The chunk at an index of this region. */
    public ChunkPos chunk(int index) {
        return new ChunkPos(x << REGION_SHIFT | index & 31, z << REGION_SHIFT | index >> REGION_SHIFT);
    }

    /** For messages: {@code chunk 3,-1 (x 48..63, z -16..-1)}. */
    @Override
    public String toString() {
        return "chunk " + x + "," + z + " (x " + 16 * x + ".." + (16 * x + 15) + ", z " + 16 * z + ".." + (16 * z + 15)
                + ")";
    }
}
