package bbd.companion.minestom;

import bbd.companion.blocks.Column;
import bbd.companion.blocks.ChunkPos;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import net.minestom.server.instance.DynamicChunk;
import net.minestom.server.instance.Instance;
import net.minestom.server.instance.block.Block;
import net.minestom.server.instance.block.BlockHandler;
import net.minestom.server.network.packet.server.play.MultiBlockChangePacket;
import net.minestom.server.network.packet.server.play.data.LightData;

/**
 * A chunk that knows which of its sections were changed since it was saved. Its blocks are kept by number beside
 * Minestom's palettes, in arrays that are replaced and never changed: any thread sees a whole column as it stood at one
 * moment, without a lock.
 */
final class WorldChunk extends DynamicChunk {
    private static final byte[] BRIGHT = bright();
    private static final int SENT_BY_BLOCK = 1024;

    private final AtomicInteger dirty = new AtomicInteger();
    private volatile char[][] blocks;
    private volatile boolean readable;
    private volatile long used = System.nanoTime();

    /** It is empty, and can't be changed, until it is filled. */
    WorldChunk(Instance instance, ChunkPos at) {
        super(instance, at.x(), at.z());
        blocks = new char[maxSection - minSection][];
    }

    /** What was saved: blocks by the section's Y; those that are not there are air. Nothing where that is known already. */
    void fill(Map<Integer, char[]> saved) {
        lockWriteLock();
        try {
            if (readable) {
                return;
            }
            char[][] all = new char[maxSection - minSection][];
            saved.forEach((y, section) -> {
                if (y >= minSection && y < maxSection) {
                    all[y - minSection] = section;
                    SectionPalette.fill(getSection(y).blockPalette(), section);
                }
            });
            blocks = all;
            readable = true;
            invalidate();
        } finally {
            unlockWriteLock();
        }
        if (!getViewers().isEmpty()) {
            sendChunk();
        }
    }

    /** Whether what was saved is known. */
    boolean isReadable() {
        return readable;
    }

    ChunkPos at() {
        return new ChunkPos(chunkX, chunkZ);
    }

    /** The disk's sections as they stand. */
    Column column() {
        char[][] all = blocks;
        char[][] found = new char[Column.SECTIONS][];
        int last = Math.min(maxSection, Column.SECTIONS);
        System.arraycopy(all, -minSection, found, 0, last);
        return new Column(found);
    }

    /** The number of a block; also of one that this server does not know. */
    char number(int x, int y, int z) {
        char[] section = y < 16 * minSection || y >= 16 * maxSection ? null : blocks[(y >> 4) - minSection];
        return section == null ? 0 : section[index(x, y, z)];
    }

    private static int index(int x, int y, int z) {
        return (y & 15) << 8 | (z & 15) << 4 | x & 15;
    }

    @Override
    public void setBlock(int x, int y, int z, Block block, BlockHandler.Placement placement,
            BlockHandler.Destroy destroy) {
        if (!readable) {
            return;
        }
        super.setBlock(x, y, z, block, placement, destroy);
        if (y < 16 * minSection || y >= 16 * maxSection) {
            return;
        }
        int section = (y >> 4) - minSection;
        char[][] fresh = blocks.clone();
        fresh[section] = fresh[section] == null ? new char[Column.BLOCKS] : fresh[section].clone();
        fresh[section][index(x, y, z)] = (char) block.stateId();
        changed(fresh, 1 << section);
    }

    /** Sets sections (PROTOCOL.md's numbers, from y 0 on), all at once, and shows them to those who look. */
    void put(int mask, char[][] sections) {
        char[][] before = blocks;
        char[][] fresh = before.clone();
        lockWriteLock();
        try {
            for (int y = 0; y < Math.min(maxSection, Column.SECTIONS); y++) {
                if ((mask >> y & 1) != 0) {
                    fresh[y - minSection] = sections[y];
                    SectionPalette.fill(getSection(y).blockPalette(), sections[y]);
                }
            }
            int written = mask << -minSection;
            entries.int2ObjectEntrySet().removeIf(at -> (written >> (yOf(at.getIntKey()) >> 4) - minSection & 1) != 0);
            tickableMap.clear();
            changed(fresh, written);
            invalidate();
        } finally {
            unlockWriteLock();
        }
        if (!getViewers().isEmpty()) {
            show(before, fresh);
        }
    }

    private static int yOf(int index) {
        return net.minestom.server.coordinate.CoordConversion.chunkBlockIndexGetY(index);
    }

    private void changed(char[][] fresh, int sections) {
        blocks = fresh;
        dirty.accumulateAndGet(sections, (a, b) -> a | b);
        used = System.nanoTime();
    }

    private void show(char[][] before, char[][] after) {
        List<MultiBlockChangePacket> packets = new ArrayList<>();
        int count = 0;
        for (int i = 0; i < after.length; i++) {
            if (before[i] != after[i]) {
                long[] changes = changes(before[i], after[i]);
                count += changes.length;
                if (changes.length > 0) {
                    packets.add(new MultiBlockChangePacket(chunkX, minSection + i, chunkZ, changes));
                }
            }
        }
        if (count > SENT_BY_BLOCK) {
            sendChunk();
        } else {
            packets.forEach(this::sendPacketToViewers);
        }
    }

    /** As the game's protocol tells changes of a section: state &lt;&lt; 12 | x &lt;&lt; 8 | z &lt;&lt; 4 | y. */
    private static long[] changes(char[] before, char[] after) {
        long[] found = new long[Column.BLOCKS];
        int count = 0;
        for (int i = 0; i < Column.BLOCKS; i++) {
            int now = after == null ? 0 : after[i];
            if (now != (before == null ? 0 : before[i])) {
                found[count++] = (long) now << 12 | (i & 15) << 8 | (i >> 4 & 15) << 4 | i >> 8;
            }
        }
        return java.util.Arrays.copyOf(found, count);
    }

    boolean isDirty() {
        return dirty.get() != 0;
    }

    /** What is to be saved, by the section's Y; it is not dirty any more unless {@link #notSaved} says so. */
    Map<Integer, char[]> takeDirty() {
        int mask = dirty.getAndSet(0);
        char[][] all = blocks;
        Map<Integer, char[]> found = new TreeMap<>();
        for (int i = 0; i < all.length; i++) {
            if ((mask >> i & 1) != 0) {
                found.put(minSection + i, all[i]);
            }
        }
        return found;
    }

    void notSaved(Map<Integer, char[]> sections) {
        int mask = 0;
        for (int y : sections.keySet()) {
            mask |= 1 << y - minSection;
        }
        int again = mask;
        dirty.updateAndGet(now -> now | again);
    }

    boolean isAir() {
        for (char[] section : blocks) {
            if (!Column.isAir(section, (char) 0)) {
                return false;
            }
        }
        return true;
    }

    void use() {
        used = System.nanoTime();
    }

    /** How long nobody has used it, in nanoseconds. */
    long idle() {
        return System.nanoTime() - used;
    }

    /** Nobody has to look for the lamp: all is as bright as at noon. */
    @Override
    protected LightData createLightData(boolean whole) {
        int count = maxSection - minSection + 2;
        BitSet all = new BitSet();
        all.set(0, count);
        return new LightData(all, new BitSet(), new BitSet(), all, Collections.nCopies(count, BRIGHT), List.of());
    }

    private static byte[] bright() {
        byte[] light = new byte[Column.BLOCKS / 2];
        java.util.Arrays.fill(light, (byte) -1);
        return light;
    }
}
