package bbd.companion.minestom;

import bbd.companion.session.Disks;
import java.util.Map;

/** How the server's ticks go, for people. */
final class Ticks {
    private Ticks() {}

    static String said(Disks disks) {
        Map<?, ?> tick = (Map<?, ?>) disks.reports().stats().get("tick");
        return tick.get("per_second") + " ticks/s, " + tick.get("mean_ms") + " ms each, 95 of 100 under "
                + tick.get("p95_ms") + " ms";
    }
}
