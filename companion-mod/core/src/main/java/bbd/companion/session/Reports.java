package bbd.companion.session;

import bbd.companion.Config;
import bbd.companion.disk.Descriptor;
import bbd.companion.server.ServerAdapter;
import bbd.companion.server.ServerInfo;
import bbd.companion.server.TickBudget;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What clients are told of the companion, of its server and of the disks (PROTOCOL.md). Any thread may call. */
public final class Reports {
    public static final String VERSION = "0.1.0";

    private final Disks disks;
    private final ServerAdapter server;
    private final Config config;
    private final TickBudget budget;
    private final long began = System.nanoTime();

    Reports(Disks disks, ServerAdapter server, Config config, TickBudget budget) {
        this.disks = disks;
        this.server = server;
        this.config = config;
        this.budget = budget;
    }

    /** The answer to a hello. */
    Map<String, Object> welcome() {
        ServerInfo info = server.info();
        List<String> capabilities = new ArrayList<>(List.of("pause"));
        if (config.create()) {
            capabilities.add("create");
        }
        Map<String, Object> welcome = new LinkedHashMap<>();
        welcome.put("version", 1);
        welcome.put("companion", "bbd-companion " + VERSION);
        welcome.put("capabilities", capabilities);
        welcome.put("server", Map.of("name", info.name(), "version", info.version(), "minecraft", info.minecraft(),
                "protocol", info.protocol()));
        welcome.put("limits", Session.limits());
        return welcome;
    }

    /** The disks that there are. */
    Map<String, Object> list() {
        List<Map<String, Object>> found = new ArrayList<>();
        for (Descriptor descriptor : disks.all()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("name", descriptor.name());
            one.put("open", disks.opened(descriptor.name()).isPresent());
            one.put("protected", disks.isProtected(descriptor.name()));
            one.put("size", descriptor.size());
            one.put("dimension", descriptor.dimension());
            found.add(one);
        }
        return Map.of("disks", found);
    }

    /** Ticks, and what is done for the disks. */
    public Map<String, Object> stats() {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("tick", Map.of("mean_ms", rounded(budget.mean()), "p95_ms", rounded(budget.p95()), "per_second",
                rounded(budget.perSecond()), "budget_ms", rounded(budget.next())));
        all.put("players", server.players());
        all.put("uptime", rounded((System.nanoTime() - began) / 1e9));
        all.put("disks", disks.all().stream().map(this::stats).toList());
        return all;
    }

    private Map<String, Object> stats(Descriptor descriptor) {
        DiskStats one = disks.statsOf(descriptor.name());
        Optional<OpenDisk> open = disks.opened(descriptor.name());
        Map<String, Object> said = new LinkedHashMap<>();
        said.put("name", descriptor.name());
        said.put("sections_read", one.read.total());
        said.put("sections_written", one.written.total());
        said.put("read_per_second", one.read.perSecond());
        said.put("written_per_second", one.written.perSecond());
        said.put("waiting", open.map(OpenDisk::waiting).orElse(0));
        said.put("unconfirmed", disks.unconfirmed(descriptor.name()));
        said.put("confirmed", one.confirmed.total());
        said.put("conflicts", one.conflicts.total());
        said.put("cancelled", one.cancelled.total());
        said.put("edits", one.edits.total());
        said.put("unseen", one.unseen.total());
        said.put("errors", one.errors.total());
        said.put("paused", open.map(OpenDisk::paused).orElse(false));
        return said;
    }

    private static double rounded(double value) {
        return Math.round(100 * value) / 100.0;
    }
}
