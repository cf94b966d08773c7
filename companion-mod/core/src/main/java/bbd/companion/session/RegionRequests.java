package bbd.companion.session;

import bbd.companion.blocks.ChunkPos;
import bbd.companion.disk.DiskFiles;
import bbd.companion.protocol.BridgeException;
import bbd.companion.protocol.ErrorCode;
import bbd.companion.protocol.Fields;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.BitSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What requests about region files answer (PROTOCOL.md): what stands in them, whatever has not been saved yet too. */
final class RegionRequests {
    private static final int MAX_REGIONS = 64;
    private static final int PRESENCE_BYTES = 128;

    private RegionRequests() {}

    /** The regions in which something of the disk stands. */
    static Map<String, Object> regions(OpenDisk disk) throws IOException {
        Set<ChunkPos> all = new LinkedHashSet<>(disk.world().files().regions());
        all.addAll(disk.world().unsavedRegions());
        List<List<Integer>> found = new ArrayList<>();
        for (ChunkPos region : all) {
            if (disk.touches(region) && !present(disk, region).isEmpty()) {
                found.add(List.of(region.x(), region.z()));
            }
        }
        return Map.of("regions", found);
    }

    /** Chunks that stand in the file, or will. */
    private static BitSet present(OpenDisk disk, ChunkPos region) throws IOException {
        BitSet present;
        try (var files = disk.world().files().anew()) {
            present = files.present(region);
        }
        present.or(disk.world().unsaved(region));
        return present;
    }

    /** Which chunks of some regions stand, and the fingerprints of their files. */
    static Map<String, Object> presence(OpenDisk disk, Fields request) throws IOException, BridgeException {
        List<int[]> wanted = request.tuples("regions", 2);
        if (wanted.size() > MAX_REGIONS) {
            throw new BridgeException(ErrorCode.BAD_REQUEST, "at most " + MAX_REGIONS + " regions at once");
        }
        List<String> presence = new ArrayList<>();
        List<Object> fingerprints = new ArrayList<>();
        for (int[] place : wanted) {
            ChunkPos region = new ChunkPos(place[0], place[1]);
            byte[] bits = Arrays.copyOf(present(disk, region).toByteArray(), PRESENCE_BYTES);
            presence.add(Base64.getEncoder().encodeToString(bits));
            Optional<long[]> fingerprint = disk.world().files().fingerprint(region);
            fingerprints.add(fingerprint.map(pair -> List.of(pair[0], pair[1])).orElse(null));
        }
        return Map.of("presence", presence, "fingerprints", fingerprints);
    }

    /** A piece of a chunk as it lies in its file. */
    static Map<String, Object> raw(OpenDisk disk, Fields request) throws IOException, BridgeException {
        ChunkPos at = new ChunkPos((int) request.number("x", Integer.MIN_VALUE, Integer.MAX_VALUE),
                (int) request.number("z", Integer.MIN_VALUE, Integer.MAX_VALUE));
        if (!disk.descriptor().holds(at)) {
            throw new BridgeException(ErrorCode.OUTSIDE, at + " is not the disk's");
        }
        byte[] raw = disk.world().files().raw(at).orElse(new byte[0]);
        int start = (int) Math.min(raw.length, request.number("at", 0, Integer.MAX_VALUE));
        int size = (int) Math.min(raw.length - start, request.number("size", 1, DiskFiles.MAX_BYTES));
        byte[] piece = Arrays.copyOfRange(raw, start, start + size);
        return Map.of("data", Base64.getEncoder().encodeToString(piece), "size", raw.length);
    }
}
