package bbd.companion.session;

import bbd.companion.blocks.Palette;
import bbd.companion.server.WorldAdapter;

/** What the parts of an open disk share. */
record Context(int handle, WorldAdapter world, Palette palette, Outbox outbox, Workers workers, DiskStats stats,
        Known known) {
    char air() {
        return world.states().air();
    }
}
