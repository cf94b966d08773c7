package bbd.companion.session;

import bbd.companion.blocks.BlockState;
import bbd.companion.disk.Descriptor;
import bbd.companion.disk.DiskFiles;
import bbd.companion.protocol.BridgeException;
import bbd.companion.protocol.ErrorCode;
import bbd.companion.protocol.Fields;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/** What the text requests of one connection do (PROTOCOL.md). */
public final class Requests {
    private static final long MAX_HANDLE = 0xFFFFFFFFL;

    private final Disks disks;
    private final Outbox outbox;
    private final Workers workers;
    private final Map<Long, OpenDisk> open = new HashMap<>();
    private boolean gone;
    private String client = "?";
    private String instance = "";
    private Session session;

    public Requests(Disks disks, Outbox outbox, Workers workers) {
        this.disks = disks;
        this.outbox = outbox;
        this.workers = workers;
    }

    private interface Work {
        Map<String, Object> run() throws IOException, BridgeException;
    }

    Map<String, Object> hello(Fields request, Session greeted) throws BridgeException {
        if (request.list("versions").stream().noneMatch(Long.valueOf(1)::equals)) {
            throw new BridgeException(ErrorCode.VERSION, "this companion speaks version 1",
                    Map.of("versions", Session.versions()));
        }
        disks.authenticate(request.text("token", ""));
        client = request.text("client", "?");
        instance = request.text("instance", "");
        session = greeted;
        return disks.reports().welcome();
    }

    /** The answer to a request; it fails with {@link BridgeException} or {@link IOException}. */
    CompletableFuture<Map<String, Object>> handle(Fields request) {
        try {
            return switch (request.text("do")) {
                case "disks" -> onFiles(disks.reports()::list);
                case "open" -> onFiles(() -> open(request));
                case "create" -> onFiles(() -> disks.create(request));
                case "stats" -> CompletableFuture.completedFuture(disks.reports().stats());
                case "bye" -> bye();
                default -> withDisk(request);
            };
        } catch (BridgeException error) {
            return CompletableFuture.failedFuture(error);
        }
    }

    private CompletableFuture<Map<String, Object>> withDisk(Fields request) throws BridgeException {
        String wanted = request.text("do");
        if (!Set.of("close", "sync", "regions", "presence", "raw", "pause", "resume", "file_list", "file_stat",
                "file_read", "file_write", "file_replace", "file_remove").contains(wanted)) {
            throw new BridgeException(ErrorCode.UNKNOWN_REQUEST, "there is no request '" + wanted + "'");
        }
        OpenDisk disk = disk(request.number("disk", 0, MAX_HANDLE));
        DiskFiles files = disks.files(disk.descriptor().name());
        return switch (wanted) {
            case "close" -> close(disk);
            case "sync" -> sync(disk);
            case "regions" -> onReaders(() -> RegionRequests.regions(disk));
            case "presence" -> onReaders(() -> RegionRequests.presence(disk, request));
            case "raw" -> onReaders(() -> RegionRequests.raw(disk, request));
            case "pause" -> disks.pause(disk, client);
            case "resume" -> disks.resume(disk, client);
            case "file_list" -> onFiles(() -> files.list(request));
            case "file_stat" -> onFiles(() -> files.stat(request));
            case "file_read" -> onFiles(() -> files.read(request));
            case "file_write" -> onFiles(() -> writable(files, request).write(request));
            case "file_remove" -> onFiles(() -> removable(files, request).remove(request));
            default -> onFiles(() -> replace(disk, files, request));
        };
    }

    void note(Fields note) throws BridgeException {
        if ("activity".equals(note.values().get("note"))) {
            OpenDisk disk = open(note.number("disk", 0, MAX_HANDLE));
            if (disk != null) {
                disks.statsOf(disk.descriptor().name()).activity = new long[]{count(note, "reads"),
                        count(note, "writes"), count(note, "read_bytes"), count(note, "written_bytes")};
            }
        }
    }

    private static long count(Fields note, String key) throws BridgeException {
        return note.number(key, 0, Long.MAX_VALUE);
    }

    OpenDisk disk(long handle) throws BridgeException {
        OpenDisk disk = open(handle);
        if (disk == null) {
            throw new BridgeException(ErrorCode.NOT_OPEN, "no open disk has the handle " + handle);
        }
        return disk;
    }

    private OpenDisk open(long handle) {
        synchronized (open) {
            return open.get(handle);
        }
    }

    /** The connection is gone: its disks are free for others, what was applied is still confirmed. */
    void closed() {
        List<OpenDisk> all;
        synchronized (open) {
            gone = true;
            all = new ArrayList<>(open.values());
            open.clear();
        }
        all.forEach(disks::released);
    }

    String who() {
        return client;
    }

    boolean isSame(Requests other) {
        return !instance.isEmpty() && instance.equals(other.instance);
    }

    void takenOver() {
        session.fail(ErrorCode.TAKEN_OVER, "the same client has come again");
    }

    private Map<String, Object> open(Fields request) throws BridgeException, IOException {
        List<BlockState> palette = new ArrayList<>();
        for (Fields entry : request.objects("palette")) {
            palette.add(new BlockState(entry.text("name"), entry.texts("properties")));
        }
        OpenDisk disk = disks.open(request.text("disk"), palette, this, outbox);
        keep(disk);
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("disk", disk.handle());
        answer.put("dimension", disk.descriptor().dimension());
        answer.put("data_version", disk.world().dataVersion());
        answer.put("protected", disks.isProtected(disk.descriptor().name()));
        answer.put("paused", disk.paused());
        answer.put("files", disks.files(disk.descriptor().name()).sizes());
        return answer;
    }

    /** Where the connection ended meanwhile, nobody else would ever give the disk back. */
    private void keep(OpenDisk disk) throws BridgeException {
        synchronized (open) {
            if (!gone) {
                open.put((long) disk.handle(), disk);
                return;
            }
        }
        disks.released(disk);
        throw new BridgeException(ErrorCode.STOPPING, "the connection has ended");
    }

    private CompletableFuture<Map<String, Object>> close(OpenDisk disk) {
        synchronized (open) {
            open.remove((long) disk.handle());
        }
        return disk.settled().thenApply(code -> {
            disks.released(disk);
            return answer(code);
        });
    }

    private CompletableFuture<Map<String, Object>> bye() {
        List<OpenDisk> all;
        synchronized (open) {
            all = new ArrayList<>(open.values());
        }
        CompletableFuture<?>[] ends = all.stream().map(this::close).toArray(CompletableFuture[]::new);
        return CompletableFuture.allOf(ends).handle((nothing, error) -> Map.of());
    }

    private CompletableFuture<Map<String, Object>> sync(OpenDisk disk) {
        return disks.settled(disk).thenCompose(code -> onFiles(() -> {
            answer(code);
            disk.forceFiles();
            return Map.of();
        }));
    }

    private static Map<String, Object> answer(ErrorCode code) {
        if (code != ErrorCode.DONE) {
            throw new java.util.concurrent.CompletionException(
                    new BridgeException(code, "what was written can't be made safe for now"));
        }
        return Map.of();
    }

    /** Of a descriptor only what stands can be synced. */
    private static DiskFiles writable(DiskFiles files, Fields request) throws BridgeException {
        boolean nothing = request.list("writes").isEmpty() && !request.has("size");
        return nothing ? files : removable(files, request);
    }

    private static DiskFiles removable(DiskFiles files, Fields request) throws BridgeException {
        if (files.isDescriptor(request.text("file"))) {
            throw new BridgeException(ErrorCode.NOT_ALLOWED, "a descriptor is replaced as a whole");
        }
        return files;
    }

    private Map<String, Object> replace(OpenDisk disk, DiskFiles files, Fields request)
            throws BridgeException, IOException {
        if (!files.isDescriptor(request.text("file"))) {
            return files.replace(request);
        }
        Descriptor fresh = Descriptor.parse(disk.descriptor().name(), request.bytes("data"));
        if (!fresh.succeeds(disk.descriptor())) {
            throw new BridgeException(ErrorCode.NOT_ALLOWED, "an open disk can't become another one");
        }
        disks.requireFree(fresh);
        disks.requireAllowed(fresh, disk.descriptor());
        Map<String, Object> answer = files.replace(request);
        disk.replaceDescriptor(fresh);
        disks.known(fresh);
        return answer;
    }

    private CompletableFuture<Map<String, Object>> onFiles(Work work) {
        CompletableFuture<Map<String, Object>> answer = new CompletableFuture<>();
        workers.file(() -> complete(answer, work));
        return answer;
    }

    private CompletableFuture<Map<String, Object>> onReaders(Work work) {
        CompletableFuture<Map<String, Object>> answer = new CompletableFuture<>();
        workers.read(() -> complete(answer, work));
        return answer;
    }

    private static void complete(CompletableFuture<Map<String, Object>> answer, Work work) {
        try {
            answer.complete(work.run());
        } catch (IOException | BridgeException | RuntimeException error) {
            Throwable cause = error instanceof java.util.concurrent.CompletionException ? error.getCause() : error;
            answer.completeExceptionally(cause);
        }
    }
}
