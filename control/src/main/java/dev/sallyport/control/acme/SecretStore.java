package dev.sallyport.control.acme;

import dev.sallyport.acme.issuer.Issuer;
import dev.sallyport.acme.store.AcmeStore;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.acme.store.StoredAccount;
import dev.sallyport.acme.store.StoredCertificate;
import dev.sallyport.acme.store.StoredContents;
import dev.sallyport.acme.store.StoredMemory;
import dev.sallyport.acme.store.StoredOrder;
import dev.sallyport.control.call.ApiFault;
import dev.sallyport.control.call.BoundedCalls;
import dev.sallyport.control.translate.AcmeRules;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.finding.Parsed;
import dev.sallyport.model.finding.Reason;
import dev.sallyport.model.name.ObjectRef;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.SecretList;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.NonNamespaceOperation;
import io.fabric8.kubernetes.client.dsl.Resource;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The store as Secrets in the gateway's own namespace: what is issued as {@code kubernetes.io/tls},
 * which replicas serve as they serve any, accounts and orders as {@code Opaque}. Written by the
 * leader alone; each write names the version that it replaces, so that a leader of before, which
 * does not know that it leads no more, overwrites nothing. Secrets that are not this gateway's are
 * not touched. Safe from any thread; each method takes some requests to the API server, each with
 * its deadline.
 */
final class SecretStore implements AcmeStore {
    private static final String ACCOUNT = "account";
    private static final String ORDER = "order";
    private static final String CERTIFICATE = "certificate";
    private static final String MEMORY = "memory";
    private static final String ID = "sallyport.dev/acme-certificate";
    private static final String ENTRY = "acme";
    private static final String TLS = "kubernetes.io/tls";

    /** So many a list shows at once: each page has the deadline of a request. */
    private static final long PAGE = 250;

    /** More would only wait for each other, and their deadlines go by meanwhile. */
    private static final int AT_ONCE = 8;

    private final KubernetesClient client;
    private final BoundedCalls calls;
    private final String namespace;
    private final OwnSecrets own;
    private final String memoryName;
    private final String accountPrefix;
    private final BooleanSupplier leads;
    private final Supplier<Optional<OwnerReference>> owner;

    /**
     * What a list has shown, for the reads that follow it: one request instead of thousands. Of
     * orders and certificates there are no others, since nobody but this leader makes any.
     */
    private final Map<String, Secret> listed = new ConcurrentHashMap<>();

    /** As they were read or written last, without their contents. */
    private final Map<String, Secret> known = new ConcurrentHashMap<>();

    private final Semaphore atOnce = new Semaphore(AT_ONCE);
    private volatile boolean complete; // whether all orders and certificates are known

    /**
     * @param client one that does not retry; stays the caller's
     * @param calls bounds each request; shorter than leadership is believed in
     * @param own which of the Secrets there are touched
     * @param leads whether this process may write
     * @param owner what the Secrets are to go with
     */
    SecretStore(
            KubernetesClient client,
            BoundedCalls calls,
            String namespace,
            OwnSecrets own,
            BooleanSupplier leads,
            Supplier<Optional<OwnerReference>> owner) {
        this.client = client;
        this.calls = calls;
        this.namespace = namespace;
        this.own = own;
        this.memoryName = AcmeRules.prefix(own.gateway()) + MEMORY;
        this.accountPrefix = AcmeRules.prefix(own.gateway()) + ACCOUNT + "-";
        this.leads = leads;
        this.owner = owner;
    }

    @Override
    public Parsed<Optional<StoredAccount>> account(Issuer issuer) {
        return read(
                accountName(issuer.name(), issuer.directory()),
                (ref, contents) -> StoredContents.account(ref, contents));
    }

    @Override
    public void save(StoredAccount account) throws IOException {
        write(
                accountName(account.issuer(), account.directory()),
                ACCOUNT,
                account.issuer(),
                "Opaque",
                entry(StoredContents.of(account)));
    }

    @Override
    public Parsed<Optional<StoredOrder>> order(CertificateId id) {
        return read(orderName(id), (ref, contents) -> StoredContents.order(ref, contents));
    }

    @Override
    public void save(StoredOrder order) throws IOException {
        write(
                orderName(order.id()),
                ORDER,
                order.id().text(),
                "Opaque",
                entry(StoredContents.of(order)));
    }

    @Override
    public void removeOrder(CertificateId id) throws IOException {
        remove(orderName(id));
    }

    @Override
    public Parsed<Optional<StoredCertificate>> certificate(CertificateId id) {
        return read(
                certificateName(id), (ref, contents) -> StoredContents.certificate(ref, contents));
    }

    @Override
    public void save(StoredCertificate certificate) throws IOException {
        Map<String, String> data = new HashMap<>(entry(StoredContents.of(certificate)));
        data.putAll(IssuedSecrets.data(certificate));
        write(certificateName(certificate.id()), CERTIFICATE, certificate.id().text(), TLS, data);
    }

    @Override
    public void removeCertificate(CertificateId id) throws IOException {
        remove(certificateName(id));
    }

    @Override
    public Parsed<Optional<StoredMemory>> memory() {
        return read(memoryName, (ref, contents) -> StoredContents.memory(ref, contents));
    }

    @Override
    public void save(StoredMemory memory) throws IOException {
        write(memoryName, MEMORY, MEMORY, "Opaque", entry(StoredContents.of(memory)));
    }

    /**
     * Also reads all that there is anew. Nothing can be issued while the Secret that is to own all
     * others is somebody else's: then nobody is shown what a CA asks for.
     */
    @Override
    public SortedSet<String> certificates() throws IOException {
        complete = false;
        Secret _ = ours(own.ownerName());
        List<Secret> certificates = list(CERTIFICATE);
        List<Secret> orders = list(ORDER);
        listed.clear();
        known.clear();
        certificates.forEach(secret -> listed.put(secret.getMetadata().getName(), secret));
        orders.forEach(secret -> listed.put(secret.getMetadata().getName(), secret));
        listed.forEach((name, secret) -> known.put(name, withoutContents(secret)));
        complete = true;
        return ids(certificates);
    }

    @Override
    public SortedSet<String> orders() throws IOException {
        return ids(list(ORDER));
    }

    private static SortedSet<String> ids(List<Secret> secrets) {
        var ids = new TreeSet<String>();
        secrets.forEach(secret -> id(secret).ifPresent(ids::add));
        return ids;
    }

    private static Optional<String> id(Secret secret) {
        Map<String, String> annotations = secret.getMetadata().getAnnotations();
        return annotations == null ? Optional.empty() : Optional.ofNullable(annotations.get(ID));
    }

    private List<Secret> list(String what) throws IOException {
        List<Secret> all = new ArrayList<>();
        String next = null;
        do {
            ListOptions page = new ListOptionsBuilder().withLimit(PAGE).withContinue(next).build();
            SecretList some = call(() -> secrets().withLabels(own.labels(what)).list(page));
            all.addAll(some.getItems());
            next = some.getMetadata().getContinue();
        } while (next != null && !next.isEmpty());
        return all;
    }

    /** What the bytes of a Secret hold. */
    private interface Form<T> {
        Parsed<T> of(ObjectRef ref, byte[] contents);
    }

    private <T> Parsed<Optional<T>> read(String name, Form<T> form) {
        var ref = new ObjectRef("Secret", namespace, name);
        Secret secret = listed.remove(name);
        if (secret == null && isAbsent(name)) {
            return Parsed.usable(Optional.empty());
        }
        if (secret == null) {
            try {
                secret = get(name);
            } catch (IOException failed) {
                return rejected(ref, String.valueOf(failed.getMessage()));
            }
        }
        if (secret == null) {
            return Parsed.usable(Optional.empty());
        }
        if (!own.isOurs(secret)) {
            return rejected(ref, "is somebody else's");
        }
        known.put(name, withoutContents(secret));
        Map<String, String> data = secret.getData();
        String contents = data == null ? null : data.get(ENTRY);
        if (contents == null) {
            return rejected(ref, "lacks its entry " + ENTRY);
        }
        byte[] bytes;
        try {
            bytes = Base64.getDecoder().decode(contents);
        } catch (IllegalArgumentException notBase64) {
            return rejected(ref, "is not base64");
        }
        return switch (form.of(ref, bytes)) {
            case Parsed.Usable<T> usable -> Parsed.usable(Optional.of(usable.value()));
            case Parsed.Rejected<T> rejected -> Parsed.rejected(rejected.findings().getFirst());
        };
    }

    private static <T> Parsed<Optional<T>> rejected(ObjectRef ref, String what) {
        return Parsed.rejected(
                Finding.of(
                        Reason.ACME_STATE_DAMAGED,
                        ref,
                        ref + ": " + what,
                        "Look at the Secret; where it is damaged delete it: it is then made anew."));
    }

    private void write(String name, String what, String id, String type, Map<String, String> data)
            throws IOException {
        requireLead();
        Secret before = known.get(name);
        try {
            put(name, what, id, type, data, before);
        } catch (IOException again) {
            if (!(again.getCause() instanceof Outrun)) {
                throw again;
            }
            // Made, changed or deleted by others: what is there now is to be replaced.
            known.remove(name);
            requireLead();
            put(name, what, id, type, data, ours(name));
        }
    }

    private void put(
            String name,
            String what,
            String id,
            String type,
            Map<String, String> data,
            @Nullable Secret before)
            throws IOException {
        SecretBuilder builder =
                before == null
                        ? new SecretBuilder()
                                .withNewMetadata()
                                .withNamespace(namespace)
                                .withName(name)
                                .endMetadata()
                        : new SecretBuilder(before);
        builder.editMetadata()
                .addToLabels(own.labels(what))
                .addToAnnotations(ID, id)
                .endMetadata()
                .withType(type)
                .withData(data);
        // While it is not known, what is there stays.
        owner.get()
                .ifPresent(
                        known -> builder.editMetadata().withOwnerReferences(known).endMetadata());
        Secret wanted = builder.build();
        Secret now =
                call(() ->
                        before == null
                                ? client.resource(wanted).create()
                                : client.resource(wanted).update());
        known.put(name, withoutContents(Objects.requireNonNull(now)));
        listed.remove(name);
    }

    private void remove(String name) throws IOException {
        requireLead();
        listed.remove(name);
        if (isAbsent(name)) {
            return;
        }
        Secret before = known.remove(name);
        if (before != null || ours(name) != null) {
            requireLead();
            Object _ = call(() -> secrets().withName(name).delete());
        }
    }

    /** Whether an order or certificate is known not to be there. */
    private boolean isAbsent(String name) {
        return complete
                && !name.equals(memoryName)
                && !name.startsWith(accountPrefix)
                && !known.containsKey(name);
    }

    /** As it is now; null where there is none. */
    private @Nullable Secret ours(String name) throws IOException {
        Secret now = get(name);
        if (now != null && !own.isOurs(now)) {
            throw new IOException(own.refusal(namespace, name));
        }
        return now;
    }

    private NonNamespaceOperation<Secret, SecretList, Resource<Secret>> secrets() {
        return client.secrets().inNamespace(namespace);
    }

    private @Nullable Secret get(String name) throws IOException {
        return callOrNull(() -> secrets().withName(name).get());
    }

    private void requireLead() throws IOException {
        if (!leads.getAsBoolean()) {
            throw new IOException("another replica leads by now");
        }
    }

    /** Another wrote meanwhile. */
    private static final class Outrun extends Exception {
        private static final long serialVersionUID = 1;
    }

    private <T> T call(Callable<T> request) throws IOException {
        return Objects.requireNonNull(callOrNull(request));
    }

    private <T> @Nullable T callOrNull(Callable<T> request) throws IOException {
        try {
            atOnce.acquire();
            try {
                return calls.make(request);
            } finally {
                atOnce.release();
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted");
        } catch (RuntimeException failed) {
            ApiFault fault = ApiFault.of(failed);
            boolean outrun = fault == ApiFault.CONFLICT || fault == ApiFault.GONE;
            // The exception itself may hold what was sent.
            throw new IOException(
                    "the API server: " + ApiFault.answer(failed), outrun ? new Outrun() : null);
        }
    }

    private static Map<String, String> entry(byte[] contents) {
        try {
            return Map.of(ENTRY, Base64.getEncoder().encodeToString(contents));
        } finally {
            Arrays.fill(contents, (byte) 0);
        }
    }

    private static Secret withoutContents(Secret secret) {
        return new SecretBuilder(secret).withData(null).build();
    }

    private String certificateName(CertificateId id) {
        return AcmeRules.secret(namespace, own.gateway(), id).name();
    }

    private String orderName(CertificateId id) {
        return certificateName(id) + "-" + ORDER;
    }

    /** An account is worth nothing at another directory. */
    private String accountName(String issuer, URI directory) {
        UUID digest =
                UUID.nameUUIDFromBytes((issuer + " " + directory).getBytes(StandardCharsets.UTF_8));
        return accountPrefix + Long.toHexString(digest.getMostSignificantBits());
    }
}
