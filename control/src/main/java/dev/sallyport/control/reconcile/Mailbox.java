package dev.sallyport.control.reconcile;

import dev.sallyport.control.resource.ResourceChange;
import dev.sallyport.control.resource.SourceUpdate;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.name.ObjectRef;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What sources saw and the reconciler has not read yet: of several changes of one object only the
 * last, so that it never holds more than there are objects.
 */
final class Mailbox {
    /* Concurrency: written by sources, read by the reconciler; everything under the lock. */
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private Map<ObjectRef, ResourceChange> changes = new LinkedHashMap<>();
    private Map<String, List<Finding>> findings = new LinkedHashMap<>();
    private Set<ObjectRef> unreadable = new HashSet<>();
    private boolean marked;
    private boolean closed;

    /** Adds an update and wakes the reader. */
    void put(SourceUpdate update) {
        lock.lock();
        try {
            update.changes()
                    .forEach(change -> {
                        changes.put(change.ref(), change);
                        unreadable.remove(change.ref());
                    });
            unreadable.addAll(update.unreadable());
            findings.putAll(update.findings());
            marked = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Ends all waiting, now and later. */
    void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits until there is something, the time is over, or the mailbox is closed. */
    void await(long nanos) throws InterruptedException {
        lock.lock();
        try {
            long left = nanos;
            while (!marked && !closed && left > 0) {
                left = changed.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Waits for {@code nanos}, or until the mailbox is closed. */
    void pause(long nanos) throws InterruptedException {
        lock.lock();
        try {
            long left = nanos;
            while (!closed && left > 0) {
                left = changed.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Takes what there is. */
    SourceUpdate drain() {
        lock.lock();
        try {
            var update = new SourceUpdate(List.copyOf(changes.values()), findings, unreadable);
            changes = new LinkedHashMap<>();
            findings = new LinkedHashMap<>();
            unreadable = new HashSet<>();
            marked = false;
            return update;
        } finally {
            lock.unlock();
        }
    }

    /** Whether {@link #close} was called. */
    boolean isClosed() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }

    /** Whether anything was put since the last {@link #drain}. */
    boolean isMarked() {
        lock.lock();
        try {
            return marked;
        } finally {
            lock.unlock();
        }
    }
}
