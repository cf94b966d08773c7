package bbd.companion.session;

import bbd.companion.Config;
import bbd.companion.blocks.BlockState;
import bbd.companion.disk.Approvals;
import bbd.companion.disk.Descriptor;
import bbd.companion.disk.DiskFiles;
import bbd.companion.protocol.BridgeException;
import bbd.companion.protocol.ErrorCode;
import bbd.companion.protocol.Fields;
import bbd.companion.server.ServerAdapter;
import bbd.companion.server.TickBudget;
import bbd.companion.server.WorldAdapter;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The disks of a world: their descriptors, who has which one open, and their statistics. Any thread may call. */
public final class Disks {
    private static final Logger LOG = LoggerFactory.getLogger(Disks.class);

    private final ServerAdapter server;
    private final Config config;
    private final Predicate<String> token;
    private final Workers workers;
    private final Approvals approvals = new Approvals();
    private final Map<String, Descriptor> descriptors = new ConcurrentHashMap<>();
    private final Map<String, DiskStats> stats = new ConcurrentHashMap<>();
    private final Map<String, Boolean> protection = new ConcurrentHashMap<>();
    private final Map<String, Holding> held = new ConcurrentHashMap<>();
    private final Reports reports;
    private final Set<String> pausedInGame = ConcurrentHashMap.newKeySet();
    /** Those that still have something to apply or to confirm, open or not. */
    private final List<OpenDisk> active = new CopyOnWriteArrayList<>();
    private int handles;

    /** Who has a disk open. */
    private record Holding(OpenDisk disk, Requests by, Outbox outbox) {}

    public Disks(ServerAdapter server, Config config, Predicate<String> token, Workers workers, TickBudget budget) {
        this.server = server;
        this.config = config;
        this.token = token;
        this.workers = workers;
        this.reports = new Reports(this, server, config, budget);
    }

    /** Reads the descriptors of the world's disks; one that can't be read is logged, and its disk can't be opened. */
    public void load() throws IOException {
        for (String name : DiskFiles.disks(server.world())) {
            try {
                known(Descriptor.parse(name, files(name).descriptor()));
            } catch (BridgeException error) {
                LOG.error("{}", error.getMessage());
            }
        }
    }

    DiskFiles files(String disk) throws BridgeException {
        return new DiskFiles(server.world(), disk);
    }

    void known(Descriptor descriptor) {
        descriptors.put(descriptor.name(), descriptor);
    }

    public List<Descriptor> all() {
        return descriptors.values().stream().sorted(java.util.Comparator.comparing(Descriptor::name)).toList();
    }

    public Optional<Descriptor> named(String name) {
        return Optional.ofNullable(descriptors.get(name));
    }

    /** The disk that a block belongs to. */
    public Optional<Descriptor> at(String dimension, int x, int y, int z) {
        for (Descriptor descriptor : descriptors.values()) {
            if (descriptor.dimension().equals(dimension) && descriptor.holds(x, y, z)) {
                return Optional.of(descriptor);
            }
        }
        return Optional.empty();
    }

    public boolean isProtected(String disk) {
        return protection.getOrDefault(disk, config.protect());
    }

    public void protect(String disk, boolean wanted) {
        protection.put(disk, wanted);
    }

    /** What is told of them. */
    public Reports reports() {
        return reports;
    }

    public Approvals approvals() {
        return approvals;
    }

    public DiskStats statsOf(String disk) {
        return stats.computeIfAbsent(disk, name -> new DiskStats());
    }

    public Optional<OpenDisk> opened(String disk) {
        return Optional.ofNullable(held.get(disk)).map(Holding::disk);
    }

    /** Says something to whoever has a disk open. */
    public void tell(String disk, Map<String, Object> push) {
        Holding holding = held.get(disk);
        if (holding != null) {
            Map<String, Object> message = new LinkedHashMap<>(push);
            message.put("disk", holding.disk.handle());
            holding.outbox.send(message);
        }
    }

    /** Main thread: applies columns, in turns of the disks, until there are none or the time ({@code nanoTime}) is up. */
    public void apply(long until) {
        boolean some = true;
        boolean first = true;
        while (some) {
            some = false;
            for (OpenDisk disk : active) {
                if (!first && System.nanoTime() - until >= 0) {
                    return;
                }
                boolean done = disk.applyNext();
                some |= done;
                first &= !done;
            }
        }
    }

    void authenticate(String offered) throws BridgeException {
        if (!token.test(offered)) {
            throw new BridgeException(ErrorCode.UNAUTHORIZED,
                    "the token is wrong: take the one from the file that the companion has made");
        }
    }

    OpenDisk open(String name, List<BlockState> palette, Requests by, Outbox outbox)
            throws BridgeException, IOException {
        Descriptor descriptor = Descriptor.parse(name, files(name).descriptor());
        WorldAdapter world = server.dimension(descriptor.dimension()).orElseThrow(
                () -> new BridgeException(ErrorCode.NO_SUCH_DISK, "the server has no " + descriptor.dimension()));
        Holding before = held.get(name);
        if (before != null && before.by != by && before.by.isSame(by)) {
            before.by.takenOver();
        }
        synchronized (this) {
            Holding now = held.get(name);
            if (now != null) {
                throw new BridgeException(ErrorCode.IN_USE, "'" + name + "' is open for " + now.by.who(),
                        Map.of("who", now.by.who()));
            }
            OpenDisk disk = new OpenDisk(++handles, descriptor, palette, world, outbox, workers, statsOf(name));
            disk.pause(pausedInGame.contains(name));
            known(descriptor);
            active.removeIf(OpenDisk::isOver);
            active.add(disk);
            held.put(name, new Holding(disk, by, outbox));
            return disk;
        }
    }

    /** Somebody is done with a disk; what was applied is confirmed all the same. */
    void released(OpenDisk disk) {
        disk.shut();
        held.computeIfPresent(disk.descriptor().name(), (name, holding) -> holding.disk == disk ? null : holding);
    }

    Map<String, Object> create(Fields request) throws BridgeException, IOException {
        String name = request.text("disk");
        if (!config.create()) {
            throw new BridgeException(ErrorCode.NOT_ALLOWED, "this companion does not make disks");
        }
        DiskFiles files = files(name);
        Fields contents = request.object("files");
        Descriptor descriptor = Descriptor.parse(name, contents.bytes(name + ".json"));
        if (descriptors.containsKey(name) || !files.sizes().isEmpty()) {
            throw new BridgeException(ErrorCode.EXISTS, "the world has a disk '" + name + "' already");
        }
        if (server.dimension(descriptor.dimension()).isEmpty()) {
            throw new BridgeException(ErrorCode.BAD_REQUEST, "the server has no " + descriptor.dimension());
        }
        requireFree(descriptor);
        if (config.approval()) {
            approvals.require(descriptor);
        }
        for (String file : contents.values().keySet()) {
            if (!files.isDescriptor(file)) {
                files.replace(file, contents.bytes(file));
            }
        }
        files.replace(name + ".json", contents.bytes(name + ".json"));
        known(descriptor);
        return Map.of();
    }

    /** Throws {@link BridgeException} ({@code exists}) where another disk has chunks of this one's place. */
    void requireFree(Descriptor fresh) throws BridgeException {
        for (Descriptor other : descriptors.values()) {
            if (!other.name().equals(fresh.name()) && other.dimension().equals(fresh.dimension())
                    && other.geometry().overlaps(other.columns(), fresh.geometry(), fresh.columns())) {
                throw new BridgeException(ErrorCode.EXISTS, "'" + other.name() + "' lies in the same place");
            }
        }
    }

    /** Throws {@link BridgeException} ({@code approval_needed}) where a disk would take chunks that nobody has allowed. */
    void requireAllowed(Descriptor fresh, Descriptor now) throws BridgeException {
        if (config.approval() && fresh.columns() > now.columns()) {
            approvals.require(fresh);
        }
    }

    /** Stops writing; completes when everything applied is confirmed. */
    CompletableFuture<Map<String, Object>> pause(OpenDisk disk, String who) {
        disk.pause(true);
        tell(disk.descriptor().name(), Map.of("push", "paused", "who", who));
        return settled(disk).thenApply(code -> {
            if (code != ErrorCode.DONE) {
                throw new java.util.concurrent.CompletionException(
                        new BridgeException(code, "paused, but what was written can't be made safe for now"));
            }
            return Map.of();
        });
    }

    CompletableFuture<Map<String, Object>> resume(OpenDisk disk, String who) {
        disk.pause(false);
        tell(disk.descriptor().name(), Map.of("push", "resumed", "who", who));
        return CompletableFuture.completedFuture(Map.of());
    }

    /** Ends a pause of a disk that nobody has open; returns whether there was one. */
    public boolean forgetPause(String disk) {
        return pausedInGame.remove(disk);
    }

    /**
     * What somebody in the game or at the console wants; completes when it is done. It holds for who opens the disk
     * next, too: a backup must not see writes because a client has come again.
     */
    public CompletableFuture<Map<String, Object>> pause(OpenDisk disk, String who, boolean wanted) {
        if (wanted) {
            pausedInGame.add(disk.descriptor().name());
        } else {
            pausedInGame.remove(disk.descriptor().name());
        }
        return wanted ? pause(disk, who) : resume(disk, who);
    }

    /**
     * Completes when everything asked for so far is confirmed ({@code DONE}) or can't be now (the error); also what those
     * who had the disk open before have left: whoever opens it next finds that in memory, and believes it.
     */
    CompletableFuture<ErrorCode> settled(OpenDisk disk) {
        return active(disk.descriptor().name()).map(OpenDisk::settled)
                .reduce((one, other) -> one.thenCombine(other, (a, b) -> a == ErrorCode.DONE ? b : a))
                .orElseGet(disk::settled);
    }

    /** How many columns of a disk are applied and not confirmed. */
    int unconfirmed(String disk) {
        return active(disk).mapToInt(OpenDisk::unconfirmed).sum();
    }

    private Stream<OpenDisk> active(String disk) {
        return active.stream().filter(one -> one.descriptor().name().equals(disk));
    }

    /** Completes when everything applied, of all disks, is confirmed or can't be. */
    public CompletableFuture<Void> settled() {
        return CompletableFuture.allOf(active.stream().map(OpenDisk::settled).toArray(CompletableFuture[]::new));
    }
}
