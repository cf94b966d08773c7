package bbd.companion.paper;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import net.kyori.adventure.bossbar.BossBar;
import net.kyori.adventure.text.Component;
import net.kyori.adventure.text.TextComponent;
import org.bukkit.Location;
import org.bukkit.Particle;
import org.bukkit.World;
import org.bukkit.block.Block;
import org.bukkit.entity.Player;

/** A player who remembers what he was shown. */
final class FakePlayer implements Player {
    final List<String> told = new ArrayList<>();
    final List<Location> sparks = new ArrayList<>();
    final Set<BossBar> bars = new HashSet<>();
    final Set<String> permissions = new HashSet<>();
    Location at;
    Block target;
    String actionBar = "";
    boolean mayFly;
    boolean flies;
    private final String name;
    private final UUID id = UUID.randomUUID();

    FakePlayer(String name, Location at, String... permissions) {
        this.name = name;
        this.at = at;
        this.permissions.addAll(Set.of(permissions));
    }

    static String text(Component component) {
        return ((TextComponent) component).content();
    }

    @Override
    public void sendMessage(Component message) {
        told.add(text(message));
    }

    @Override
    public void sendActionBar(Component message) {
        actionBar = text(message);
    }

    @Override
    public void showBossBar(BossBar bar) {
        bars.add(bar);
    }

    @Override
    public void hideBossBar(BossBar bar) {
        bars.remove(bar);
    }

    @Override
    public boolean hasPermission(String permission) {
        return permissions.contains(permission);
    }

    @Override
    public String getName() {
        return name;
    }

    @Override
    public Location getLocation() {
        return at;
    }

    @Override
    public World getWorld() {
        return at.getWorld();
    }

    @Override
    public UUID getUniqueId() {
        return id;
    }

    @Override
    public CompletableFuture<Boolean> teleportAsync(Location loc) {
        at = loc;
        return CompletableFuture.completedFuture(true);
    }

    @Override
    public Block getTargetBlockExact(int maxDistance) {
        return target;
    }

    @Override
    public boolean getAllowFlight() {
        return mayFly;
    }

    @Override
    public void setFlying(boolean value) {
        flies = value;
    }

    @Override
    public void spawnParticle(Particle particle, Location location, int count, double offsetX, double offsetY,
            double offsetZ, double extra) {
        sparks.add(location);
    }
}
