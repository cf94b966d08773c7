package bbd.companion.server;

import bbd.companion.blocks.ChunkPos;
import bbd.companion.disk.Descriptor;
import bbd.companion.session.Disks;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The rule for changes that are not the core's own: in a protected disk they are cancelled, elsewhere in a disk they
 * become data and are told to the client. An adapter asks {@link #allows} before a block changes, and says
 * {@link #changed} after it has. Any thread may call.
 */
public final class Edits {
    private static final int MAX_TOLD = 256;
    private final Disks disks;
    private final Map<String, Gathered> gathered = new HashMap<>();

    /** What changed in one disk since the last tick. */
    private static final class Gathered {
        final Map<ChunkPos, int[]> columns = new LinkedHashMap<>();
        final List<Map<String, Object>> edits = new ArrayList<>();
    }

    public Edits(Disks disks) {
        this.disks = disks;
    }

    /** Whether a block may change; where not, it was counted. */
    public boolean allows(String dimension, int x, int y, int z) {
        Optional<Descriptor> disk = disks.at(dimension, x, y, z);
        if (disk.isEmpty() || !disks.isProtected(disk.get().name())) {
            return true;
        }
        disks.statsOf(disk.get().name()).cancelled.add(1);
        return false;
    }

    /** A block has changed; outside of disks that means nothing. */
    public void changed(BlockEdit edit) {
        Optional<Descriptor> found = disks.at(edit.dimension(), edit.x(), edit.y(), edit.z());
        if (found.isEmpty()) {
            return;
        }
        String name = found.get().name();
        ChunkPos at = new ChunkPos(edit.x() >> 4, edit.z() >> 4);
        disks.opened(name).ifPresent(open -> open.edited(at));
        disks.statsOf(name).edits.add(1);
        synchronized (this) {
            Gathered all = gathered.computeIfAbsent(name, key -> new Gathered());
            int[] column = all.columns.computeIfAbsent(at, key -> new int[2]);
            column[0] |= 1 << (edit.y() >> 4);
            column[1]++;
            if (all.edits.size() < MAX_TOLD) {
                all.edits.add(described(edit));
            }
        }
    }

    /** A column has changed and nobody knows how. */
    public void unseen(String disk, ChunkPos at, int sections) {
        disks.statsOf(disk).unseen.add(1);
        tell(disk, List.of(column(at, sections, -1)), List.of(Map.of("x", 16 * at.x(), "y", 0, "z", 16 * at.z(), "was",
                "?", "now", "?", "cause", "unseen")));
    }

    /** Tells the clients what was gathered. */
    public void flush() {
        Map<String, Gathered> now;
        synchronized (this) {
            if (gathered.isEmpty()) {
                return;
            }
            now = new HashMap<>(gathered);
            gathered.clear();
        }
        now.forEach((disk, all) -> {
            List<Map<String, Object>> columns = new ArrayList<>();
            all.columns.forEach((at, what) -> columns.add(column(at, what[0], what[1])));
            tell(disk, columns, all.edits);
        });
    }

    private void tell(String disk, List<Map<String, Object>> columns, List<Map<String, Object>> edits) {
        disks.tell(disk, Map.of("push", "changed", "columns", columns, "edits", edits));
    }

    private static Map<String, Object> column(ChunkPos at, int mask, int count) {
        return Map.of("x", at.x(), "z", at.z(), "mask", mask, "count", count);
    }

    private static Map<String, Object> described(BlockEdit edit) {
        Map<String, Object> said = new LinkedHashMap<>();
        said.put("x", edit.x());
        said.put("y", edit.y());
        said.put("z", edit.z());
        said.put("was", edit.was());
        said.put("now", edit.now());
        said.put("cause", edit.cause());
        said.put("who", edit.who());
        return said;
    }
}
