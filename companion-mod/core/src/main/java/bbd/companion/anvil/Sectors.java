package bbd.companion.anvil;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/** Which sectors of a region file are taken, and which are free. */
final class Sectors {
    static final int SIZE = 4096;
    static final int HEADER = 2;
    static final int MAX = 255;
    private static final int LIMIT = 1 << 24;

    private Sectors() {}

    /** Sectors {@code start} to before {@code end}. */
    record Extent(int start, int end) {
        static Extent of(int location) {
            return new Extent(location >>> 8, (location >>> 8) + (location & 0xFF));
        }

        int location() {
            return start << 8 | end - start;
        }

        int sectors() {
            return end - start;
        }

        boolean meets(Extent other) {
            return start < other.end && other.start < end;
        }
    }

    static int count(long bytes) {
        return (int) ((bytes + SIZE - 1) / SIZE);
    }

    /** Sectors for chunks of so many each, every one in the lowest gap that holds it. */
    static List<Extent> allocate(Collection<Extent> taken, List<Integer> counts) throws IOException {
        List<Extent> free = free(taken);
        List<Extent> found = new ArrayList<>();
        for (int count : counts) {
            found.add(take(free, count));
        }
        return found;
    }

    private static Extent take(List<Extent> free, int count) throws IOException {
        for (int i = 0; i < free.size(); i++) {
            Extent gap = free.get(i);
            if (gap.sectors() >= count) {
                if (gap.sectors() == count) {
                    free.remove(i);
                } else {
                    free.set(i, new Extent(gap.start + count, gap.end));
                }
                return new Extent(gap.start, gap.start + count);
            }
        }
        throw new IOException("a region file can hold no more sectors");
    }

    private static List<Extent> free(Collection<Extent> taken) {
        List<Extent> sorted = new ArrayList<>(taken);
        sorted.sort(Comparator.comparingInt(Extent::start));
        List<Extent> free = new ArrayList<>();
        int position = HEADER;
        for (Extent extent : sorted) {
            if (extent.start > position) {
                free.add(new Extent(position, extent.start));
            }
            position = Math.max(position, extent.end);
        }
        if (position < LIMIT) {
            free.add(new Extent(position, LIMIT));
        }
        return free;
    }
}
