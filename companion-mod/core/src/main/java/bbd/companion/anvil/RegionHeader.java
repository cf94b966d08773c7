package bbd.companion.anvil;

import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** The first two sectors of a region file: where each chunk lies, and when it was written. It does not change. */
final class RegionHeader {
    static final int CHUNKS = 1024;
    static final int SIZE = Sectors.HEADER * Sectors.SIZE;

    private final int[] locations = new int[CHUNKS];
    private final int[] timestamps = new int[CHUNKS];

    /** {@code bytes}: {@link #SIZE} of them. */
    RegionHeader(byte[] bytes) {
        IntBuffer tables = ByteBuffer.wrap(bytes).asIntBuffer();
        tables.get(locations).get(timestamps);
    }

    ByteBuffer bytes() {
        ByteBuffer header = ByteBuffer.allocate(SIZE);
        header.asIntBuffer().put(locations).put(timestamps);
        return header;
    }

    /** The header after chunks were put into new sectors, and others taken away, now. */
    RegionHeader with(Map<Integer, Sectors.Extent> placed, Collection<Integer> removals) {
        RegionHeader fresh = new RegionHeader(bytes().array());
        int now = (int) (System.currentTimeMillis() / 1000);
        for (int index : removals) {
            fresh.locations[index] = 0;
            fresh.timestamps[index] = now;
        }
        placed.forEach((index, extent) -> {
            fresh.locations[index] = extent.location();
            fresh.timestamps[index] = now;
        });
        return fresh;
    }

    boolean names(int index) {
        return locations[index] != 0;
    }

    BitSet present() {
        BitSet present = new BitSet(CHUNKS);
        for (int i = 0; i < CHUNKS; i++) {
            present.set(i, names(i));
        }
        return present;
    }

    /** The sectors of all chunks. */
    List<Sectors.Extent> taken() {
        List<Sectors.Extent> taken = new ArrayList<>();
        for (int location : locations) {
            if ((location & 0xFF) != 0) {
                taken.add(Sectors.Extent.of(location));
            }
        }
        return taken;
    }

    /** Where a chunk lies that is named. Throws {@link UnreadableChunk} where nothing can lie. */
    Sectors.Extent extent(int index) throws UnreadableChunk {
        Sectors.Extent extent = Sectors.Extent.of(locations[index]);
        if (extent.start() < Sectors.HEADER || extent.sectors() == 0) {
            throw new UnreadableChunk("the region file places it wrongly, at sector " + extent.start());
        }
        for (int other = 0; other < CHUNKS; other++) {
            if (other != index && names(other) && extent.meets(Sectors.Extent.of(locations[other]))) {
                throw new UnreadableChunk("the region file places it over another chunk");
            }
        }
        return extent;
    }
}
