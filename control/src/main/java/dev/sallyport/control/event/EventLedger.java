package dev.sallyport.control.event;

import dev.sallyport.control.call.DueKeys;
import dev.sallyport.control.call.Tokens;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.name.ObjectRef;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Decides what is told and when. Something is told when it has been so for a moment, once; and when
 * it is no longer so. What comes and goes faster than may be told becomes one Event. Pure: time is
 * passed in, in nanoseconds. Confined to one thread.
 */
final class EventLedger {
    /** Objects remembered before those are forgotten of which nothing was told for long. */
    private static final int TIDY = 1_000;

    private final EventPace pace;
    private final Map<Finding, Standing> findings = new HashMap<>();
    private final Map<ObjectRef, Statement> served = new HashMap<>();
    private final Map<Topic.Done, Statement> done = new HashMap<>();
    private final Map<ObjectRef, Account> accounts = new HashMap<>();
    private final DueKeys<Topic> news = new DueKeys<>();
    private final DueKeys<Topic> old = new DueKeys<>(); // was so before this replica led
    private long dropped;

    EventLedger(EventPace pace) {
        this.pace = pace;
    }

    /** How a finding stands. */
    private static final class Standing {
        final String uid;
        int places; // steps of translation that say it: it holds while there is any
        int appearances; // since it was last told
        boolean told;
        boolean old; // it held before this replica led

        Standing(String uid) {
            this.uid = uid;
        }
    }

    /** How much was told of an object. */
    private static final class Account {
        final Tokens tokens;
        int waiting;

        Account(Tokens tokens) {
            this.tokens = tokens;
        }
    }

    /**
     * What is to be told.
     *
     * @param first whether it may be that nobody told it before only because this replica did not
     *     lead: then an Event that is there already says enough
     */
    record Telling(Topic topic, Statement statement, boolean first) {}

    /**
     * A finding that held when leadership began, perhaps for a moment only: half of what somebody
     * applied may have been there.
     */
    void held(Finding finding, String uid, long now) {
        Standing standing = track(finding, uid);
        if (standing != null && standing.places++ == 0) {
            standing.old = true;
            standing.appearances = 1;
            schedule(old, new Topic.Trouble(finding), now, now + pace.settle().toNanos());
        }
    }

    /** A finding holds now, said by one more step. */
    void appeared(Finding finding, String uid, long now) {
        Standing standing = track(finding, uid);
        if (standing != null && standing.places++ == 0) {
            standing.appearances++;
            schedule(news, new Topic.Trouble(finding), now, now + pace.settle().toNanos());
        }
    }

    /** A step says a finding no more. */
    void resolved(Finding finding, long now) {
        Standing standing = findings.get(finding);
        if (standing != null && --standing.places == 0) {
            var topic = new Topic.Trouble(finding);
            schedule(news, topic, now, now + pace.settle().toNanos());
        }
    }

    /** A step says a finding no more, for its object is gone: nobody need be told. */
    void gone(Finding finding) {
        Standing standing = findings.get(finding);
        if (standing != null && --standing.places == 0) {
            findings.remove(finding); // what is scheduled finds nothing
        }
    }

    /** A Secret's certificate was put in service. */
    void served(Statement statement, long now) {
        served.put(statement.object(), statement);
        var topic = new Topic.Served(statement.object());
        schedule(news, topic, now, now + pace.settle().toNanos());
    }

    /** Something was done for an object. */
    void happened(String about, Statement statement, long now) {
        var topic = new Topic.Done(statement.object(), about);
        if (done.size() < pace.topics() || done.containsKey(topic)) {
            done.put(topic, statement);
            schedule(news, topic, now, now + pace.settle().toNanos());
        } else {
            dropped++;
        }
    }

    /** The next that is to be told; empty where there is none yet. */
    Optional<Telling> next(long now) {
        for (Topic topic = take(now); topic != null; topic = take(now)) {
            Account account = account(topic.object(), now);
            Telling telling = telling(topic);
            if (telling == null) {
                account.waiting--;
                done(topic);
            } else if (account.tokens.take(now)) {
                account.waiting--;
                return Optional.of(telling);
            } else {
                later(topic, now + account.tokens.nanosToNext(now));
            }
        }
        return Optional.empty();
    }

    /** It was told, or cannot be. */
    void told(Telling telling, long now) {
        switch (telling.topic()) {
            case Topic.Trouble trouble -> {
                Standing standing = findings.get(trouble.finding());
                if (standing != null) {
                    boolean said = !telling.statement().reason().endsWith(Statement.RESOLVED);
                    standing.told = said;
                    standing.appearances = 0;
                    boolean holds = standing.places > 0;
                    done(trouble);
                    if (said != holds) {
                        schedule(news, trouble, now, now + pace.settle().toNanos());
                    } else if (!holds) {
                        findings.remove(trouble.finding());
                    }
                }
            }
            case Topic.Served topic -> {
                if (telling.statement().equals(served.get(topic.object()))) {
                    served.remove(topic.object());
                }
                done(topic);
            }
            case Topic.Done topic -> {
                boolean same = telling.statement().equals(done.get(topic));
                done(topic);
                if (same) {
                    done.remove(topic);
                } else {
                    schedule(news, topic, now, now + pace.settle().toNanos());
                }
            }
        }
    }

    /** Whether it is still so, and not only news of a moment. */
    boolean holds(Telling telling) {
        if (!(telling.topic() instanceof Topic.Trouble(Finding finding))) {
            return false;
        }
        Standing standing = findings.get(finding);
        return standing != null && standing.places > 0;
    }

    /** It could not be told now. */
    void again(Telling telling, long now, long notBefore) {
        Account account = account(telling.topic().object(), now);
        account.waiting++;
        account.tokens.giveBack();
        later(telling.topic(), notBefore);
    }

    /** It will not be told. */
    void drop(Telling telling, long now) {
        dropped++;
        told(telling, now);
    }

    /** How long until {@link #next} may have one. */
    long nanosToNext(long now) {
        return Math.min(news.nanosToNext(now), old.nanosToNext(now));
    }

    /** How much was not told, or is not followed, because there was too much of it. */
    long dropped() {
        return dropped;
    }

    /** Forgets everything: another replica goes on. */
    void clear() {
        findings.clear();
        served.clear();
        done.clear();
        accounts.clear();
        news.clear();
        old.clear();
    }

    private @Nullable Standing track(Finding finding, String uid) {
        Standing known = findings.get(finding);
        if (known == null) {
            if (findings.size() >= pace.topics()) {
                dropped++;
                return null;
            }
            known = new Standing(uid);
            findings.put(finding, known);
        }
        return known;
    }

    private void schedule(DueKeys<Topic> queue, Topic topic, long now, long at) {
        if (news.contains(topic) || old.contains(topic)) {
            return; // it is looked at then
        }
        Account account = account(topic.object(), now);
        if (account.waiting >= pace.waiting()) {
            dropped++;
            return;
        }
        account.waiting++;
        queue.addLater(topic, at);
    }

    private @Nullable Topic take(long now) {
        Topic topic = news.take(now);
        return topic != null ? topic : old.take(now);
    }

    private void later(Topic topic, long at) {
        old.remove(topic);
        old.done(topic);
        news.addLater(topic, at);
    }

    private void done(Topic topic) {
        news.done(topic);
        old.done(topic);
    }

    private @Nullable Telling telling(Topic topic) {
        return switch (topic) {
            case Topic.Served(ObjectRef secret) -> {
                Statement statement = served.get(secret);
                yield statement == null ? null : new Telling(topic, statement, false);
            }
            case Topic.Done what -> {
                Statement statement = done.get(what);
                yield statement == null ? null : new Telling(topic, statement, false);
            }
            case Topic.Trouble(Finding finding) -> telling(topic, finding);
        };
    }

    private @Nullable Telling telling(Topic topic, Finding finding) {
        Standing standing = findings.get(finding);
        if (standing == null) {
            return null;
        }
        boolean holds = standing.places > 0;
        boolean flapped = standing.appearances > 1;
        if (standing.told ? holds && standing.appearances > 0 : holds || flapped) {
            boolean first = standing.old && standing.appearances == 1;
            return new Telling(topic, Statement.of(finding, standing.uid), first);
        }
        if (standing.told && !holds) {
            if (!served.containsKey(finding.object())) {
                return new Telling(topic, Statement.resolved(finding, standing.uid), false);
            }
            findings.remove(finding); // what is served now says it
        } else if (!holds) {
            findings.remove(finding); // came and went unnoticed
        }
        return null;
    }

    private Account account(ObjectRef object, long now) {
        Account account = accounts.get(object);
        if (account == null) {
            if (accounts.size() >= TIDY) {
                accounts.values().removeIf(one -> one.waiting == 0 && one.tokens.isFull(now));
            }
            double perSecond = 1e9 / pace.objectPause().toNanos();
            account = new Account(new Tokens(pace.perObject(), perSecond, now));
            accounts.put(object, account);
        }
        return account;
    }
}
